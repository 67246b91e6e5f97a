// Pipes, with and without a name. A write to a pipe without readers fails with Errno::pipe;
// the system call then sends SIGPIPE.
// Writes of up to kPipeBuf bytes are all or nothing and never mixed with others'.
// Spec: pipe(7), fifo(7); POSIX.1-2017 read(), write(), open().
#pragma once

#include "fs/file.hpp"

constexpr uint32_t kPipeBuf = 4096;

struct PipeEnds {
    Ref<File> reader, writer;
};
// Of `flags` only O_NONBLOCK counts. ENOMEM.
Result<PipeEnds> make_pipe(uint32_t flags);

// F_GETPIPE_SZ and F_SETPIPE_SZ, in bytes. EBADF if the file is no pipe; setting also EINVAL, EBUSY
// (what is in it doesn't fit), EPERM (above /proc/sys/fs/pipe-max-size, for all but the superuser), ENOMEM.
Result<uint32_t> pipe_capacity(File& file);
Result<uint32_t> set_pipe_capacity(File& file, uint32_t bytes, bool superuser);

// Installs the opening of FIFOs (fs/fifo_hook.hpp).
void pipes_init();
