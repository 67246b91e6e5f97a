// How much a pipe holds: F_GETPIPE_SZ and F_SETPIPE_SZ. See pipe.hpp.
#include "fs/proc/proc_entry.hpp"
#include "kernel/ipc/pipe_end.hpp"

Result<uint32_t> Pipe::resize(uint32_t slots) {
    LockGuard guard(lock_);
    TRY(ring_.resize(slots));
    if (ring_.room() >= kPipeBuf) write_queue_.wake_all();
    return ring_.capacity();
}

namespace {
constinit Atomic<uint32_t> most_bytes = 1u << 20;

constexpr ProcEntry kPipeSettings[] = {
    {.name = "pipe-max-size", .number = &most_bytes, .least = kPageSize, .most = 1u << 31}};
PROC_FILES(proc_sys_fs, kPipeSettings);

Result<Pipe*> pipe_behind(File& file) {
    auto* end = file_as<PipeEnd>(file);
    if (!end) return Errno::badf;
    return &end->pipe();
}
}  // namespace

Result<uint32_t> pipe_capacity(File& file) { return TRY(pipe_behind(file))->capacity(); }

Result<uint32_t> set_pipe_capacity(File& file, uint32_t bytes, bool superuser) {
    Pipe* pipe = TRY(pipe_behind(file));
    if (bytes > 1u << 31) return Errno::inval;
    uint32_t slots = 1;
    while (slots * kPageSize < bytes) slots *= 2;
    if (slots * kPageSize > most_bytes.relaxed() && !superuser) return Errno::perm;
    return pipe->resize(slots);
}
