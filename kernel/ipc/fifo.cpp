// FIFOs: pipes that have a name. The first opening of the name makes the Pipe, the last close
// frees it; opening waits until the other end is open too.
// Spec: fifo(7).
#include "fs/fifo_hook.hpp"
#include "kernel/ipc/pipe_end.hpp"

constinit SpinLock fifo_nodes{LockRank::pipe};

void leave_fifo(Inode& node, Pipe& pipe) {
    Ref<RefCounted> last;  // freed outside the lock
    LockGuard guard(fifo_nodes);
    if (--pipe.ends == 0) last = std::move(node.rendezvous);
}

Result<void> Pipe::wait_for_partner(bool reads) {
    LockGuard guard(lock_);
    // An end that was opened and closed again at once counts too.
    const Atomic<uint32_t>& openings = reads ? writer_openings_ : reader_openings_;
    const bool there = reads ? writers_ : readers_;
    const uint32_t before = openings;
    if (there) return {};
    WaitQueue& queue = reads ? read_queue_ : write_queue_;
    Woken woken = queue.wait(lock_, [&] { return openings != before; }, {.reason = "fifo_open"});
    if (woken != Woken::condition) return Errno::restart;
    return {};
}

namespace {

// The Pipe of a FIFO's inode, made by the first who opens it, with one more end.
Result<Ref<Pipe>> pipe_of(Inode& node) {
    Ref<Pipe> fresh = TRY(make_ref<Pipe>());
    LockGuard guard(fifo_nodes);
    if (!node.rendezvous) node.rendezvous = fresh;
    Ref<Pipe> pipe(static_cast<Pipe*>(node.rendezvous.get()));
    ++pipe->ends;
    return pipe;
}

Result<Ref<File>> open_named_pipe(Inode& node, uint32_t flags) {
    Ref<Pipe> pipe = TRY(pipe_of(node));
    auto* end = new (std::nothrow) PipeEnd(flags, pipe, &node, 0);
    if (!end) {
        leave_fifo(node, *pipe);
        return Errno::nomem;
    }
    Ref<PipeEnd> file = Ref<PipeEnd>::adopt(end);
    const bool reads = end->readable(), writes = end->writable();
    if (reads && writes) return Ref<File>(file);
    if (flags & kOpenNonBlock) {
        if (writes && !pipe->has_readers()) return Errno::nxio;
        return Ref<File>(file);
    }
    TRY(pipe->wait_for_partner(reads));
    return Ref<File>(file);
}

}  // namespace

void pipes_init() { open_fifo = open_named_pipe; }
