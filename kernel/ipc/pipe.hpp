// Pipes, with and without a name. A write to a pipe that nobody can read fails with Errno::pipe;
// whoever serves the system call sends SIGPIPE then.
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

// Installs the opening of FIFOs (fs/fifo_hook.hpp).
void pipes_init();
