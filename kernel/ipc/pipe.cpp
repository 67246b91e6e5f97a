// Reading and writing a pipe: producers and consumers with a bounded buffer. See pipe_end.hpp.
// Wake-ups: only crossing a limit at which one sleeps wakes: one reader or writer, which wakes another one if it
// leaves something to do. But a thread that watches for edges (epoll) is woken by each write.
#include "kernel/ipc/pipe_end.hpp"

namespace {

constexpr uint32_t kIoctlBytesToRead = 0x541B;  // FIONREAD
constexpr uint32_t kPipeDevice = device_number(0, 9);
constinit Atomic<uint32_t> last_pipe = 0;  // of anonymous pipes

}  // namespace

// What is there; sleeps while there is nothing. 0 at the end: nothing and no writer. EAGAIN; Errno::restart.
// Lab 6.1: stub { (void)non_blocking; if (ring_.empty()) return 0u; return ring_.read(to); }
inline Result<uint32_t> Pipe::read(ByteSink& to, bool non_blocking) {
    if (!to.remaining()) return 0u;
    LockGuard guard(lock_);
    while (ring_.empty()) {
        if (!writers_) return 0u;
        if (non_blocking) return Errno::again;
        Woken woken =
            read_queue_.wait(lock_, [&]() NO_LOCK_ANALYSIS { return !ring_.empty() || !writers_; },
                             {.reason = "pipe_read", .one_is_enough = true});
        if (woken != Woken::condition) return Errno::restart;
    }
    const bool was_full = ring_.room() < kPipeBuf;
    Result<uint32_t> done = ring_.read(to);
    if (was_full && ring_.room() >= kPipeBuf) write_queue_.wake_next();
    if (!ring_.empty()) read_queue_.wake_another();
    return done;
}

// All of it; up to kPipeBuf at once or not at all. Sleeps until there is room for the rest, or for kPipeBuf
// of it. Without a reader, with EAGAIN or a signal: what was written so far, or else the error.
// Lab 6.1: stub { (void)non_blocking; return ring_.write(from); }
inline Result<uint32_t> Pipe::write(ByteSource& from, bool non_blocking) {
    if (!from.remaining()) return 0u;
    const uint32_t wanted = from.remaining();
    const uint32_t least = wanted <= kPipeBuf ? wanted : 1;  // what may not be split
    LockGuard guard(lock_);
    while (true) {
        const uint32_t total = wanted - from.remaining();
        if (!readers_) return total ? Result(total) : Errno::pipe;
        if (ring_.room() < least) {
            if (non_blocking) return total ? Result(total) : Errno::again;
            const uint32_t enough = std::min(from.remaining(), kPipeBuf);
            Woken woken = write_queue_.wait(
                lock_, [&]() NO_LOCK_ANALYSIS { return ring_.room() >= enough || !readers_; },
                {.reason = "pipe_write", .one_is_enough = true});
            if (woken != Woken::condition) return total ? Result(total) : Errno::restart;
            continue;
        }
        const bool was_empty = ring_.empty();
        const uint32_t expected = std::min(from.remaining(), ring_.room());
        Result<uint32_t> done = ring_.write(from);
        if ((was_empty && !ring_.empty()) || read_queue_.watched()) read_queue_.wake_next();
        if (ring_.room() >= kPipeBuf) write_queue_.wake_another();
        if (done.is_error()) return total ? Result(total) : done.error();
        if (!from.remaining() || done.value() < expected) return total + done.value();
    }
}

void Pipe::open_end(bool reads, bool writes) {
    LockGuard guard(lock_);
    if (reads) readers_.add(1), reader_openings_.add(1);
    if (writes) writers_.add(1), writer_openings_.add(1);
    if (reads) write_queue_.wake_all();
    if (writes) read_queue_.wake_all();
}

void Pipe::close_end(bool reads, bool writes) {
    LockGuard guard(lock_);
    if (reads && readers_.subtract(1) == 0) write_queue_.wake_all();
    if (writes && writers_.subtract(1) == 0) read_queue_.wake_all();
}

Result<uint32_t> PipeEnd::read_at(ByteSink& to, uint64_t) {
    return pipe_->read(to, non_blocking());
}
Result<uint32_t> PipeEnd::write_at(ByteSource& from, uint64_t) {
    return pipe_->write(from, non_blocking());
}

Result<int32_t> PipeEnd::ioctl(uint32_t request, uint32_t argument) {
    if (request != kIoctlBytesToRead) return Errno::notty;
    TRY(write_user(UserPtr<uint32_t>(argument), pipe_->count()));
    return 0;
}

uint32_t PipeEnd::poll(PollTable* table) {
    uint32_t events = 0;
    if (readable()) {
        if (table) table->watch(pipe_->read_queue(), kPollIn | kPollHangUp);
        if (pipe_->count()) events |= kPollIn;
        if (!pipe_->has_writers() && pipe_->writer_openings() != writers_seen_)
            events |= kPollHangUp;
    }
    if (writable()) {
        if (table) table->watch(pipe_->write_queue(), kPollOut | kPollError);
        if (pipe_->room() >= kPipeBuf) events |= kPollOut;
        if (!pipe_->has_readers()) events |= kPollError;
    }
    return events;
}

Result<Attributes> PipeEnd::attributes() {
    if (node_) return node_->attributes();
    Attributes a;
    a.mode = kTypeFifo | 0600;
    a.device = kPipeDevice;
    a.inode = InodeNo(number_);
    a.accessed = a.modified = a.changed = made_;
    return a;
}

Result<PipeEnds> make_pipe(uint32_t flags) {
    flags &= kOpenNonBlock;
    Ref<Pipe> pipe = TRY(make_ref<Pipe>());
    const uint32_t number = last_pipe.add(1);
    Ref<PipeEnd> reader = TRY(make_ref<PipeEnd>(flags | kOpenReadOnly, pipe, nullptr, number));
    return PipeEnds{reader, TRY(make_ref<PipeEnd>(flags | kOpenWriteOnly, pipe, nullptr, number))};
}
