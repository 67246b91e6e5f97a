// See pipe.hpp. A Pipe is the ring and who has it open; a PipeEnd is an open file on it.
// Locks: `lock_` (a Mutex of rank inode, because it is held while user memory is copied, which may
// fault) guards all of a Pipe; `fifo_nodes` (rank pipe) guards which Pipe a FIFO's inode has.
// Wake-ups: a reader sleeps only while the ring is empty, a writer only while there is less than
// kPipeBuf of room. So only crossing these limits wakes, and then everybody; but whoever watches
// for edges hears of each write.
#include "kernel/ipc/pipe.hpp"

#include "fs/fifo_hook.hpp"
#include "fs/file_locks.hpp"
#include "fs/timestamp.hpp"
#include "kernel/ipc/pipe_ring.hpp"
#include "mm/frames.hpp"

namespace {

constexpr uint32_t kIoctlBytesToRead = 0x541B;  // FIONREAD
constexpr uint32_t kPipeDevice = device_number(0, 9);

struct LowFrames {
    void* allocate() {
        Result<Frame> frame = allocate_frame(Zone::low);
        return frame ? to_virtual(frame.value()) : nullptr;
    }
    void release(void* page) { put_frame(frame_of(to_physical(page))); }
};

constinit SpinLock fifo_nodes{LockRank::pipe};
constinit uint32_t last_pipe = 0;  // of anonymous pipes; atomic

class Pipe final : public RefCounted {
  public:
    Result<uint32_t> read(ByteSink& to, bool non_blocking);
    Result<uint32_t> write(ByteSource& from, bool non_blocking);
    void open_end(bool reads, bool writes);
    void close_end(bool reads, bool writes);
    // fifo(7): an end waits until the other has been opened. EINTR's kin.
    Result<void> wait_for_partner(bool reads);

    Result<uint32_t> resize(uint32_t slots);
    uint32_t capacity() const NO_LOCK_ANALYSIS { return ring_.capacity(); }

    // Unlocked looks, for poll: what changes them wakes the queue that poll() joined before.
    uint32_t count() const NO_LOCK_ANALYSIS { return ring_.count(); }
    uint32_t room() const NO_LOCK_ANALYSIS { return ring_.room(); }
    bool has_readers() const { return __atomic_load_n(&readers_, __ATOMIC_RELAXED); }
    bool has_writers() const { return __atomic_load_n(&writers_, __ATOMIC_RELAXED); }
    uint32_t writer_openings() const {
        return __atomic_load_n(&writer_openings_, __ATOMIC_RELAXED);
    }
    WaitQueue& read_queue() { return read_queue_; }
    WaitQueue& write_queue() { return write_queue_; }

    uint32_t ends = 0;  // of a FIFO: under fifo_nodes

  private:
    Mutex lock_{LockRank::inode};
    PipeRing<LowFrames> ring_ GUARDED_BY(lock_);
    uint32_t readers_ GUARDED_BY(lock_) = 0, writers_ GUARDED_BY(lock_) = 0;
    uint32_t reader_openings_ GUARDED_BY(lock_) = 0, writer_openings_ GUARDED_BY(lock_) = 0;
    WaitQueue read_queue_, write_queue_;
};

Result<uint32_t> Pipe::read(ByteSink& to, bool non_blocking) {
    if (!to.remaining()) return 0u;
    LockGuard guard(lock_);
    while (ring_.empty()) {
        if (!writers_) return 0u;
        if (non_blocking) return Errno::again;
        Woken woken =
            read_queue_.wait(lock_, [&]() NO_LOCK_ANALYSIS { return !ring_.empty() || !writers_; },
                             {.reason = "pipe_read"});
        if (woken != Woken::condition) return Errno::restart;
    }
    const bool was_full = ring_.room() < kPipeBuf;
    Result<uint32_t> done = ring_.read(to);
    if (was_full && ring_.room() >= kPipeBuf) write_queue_.wake_all();
    return done;
}

Result<uint32_t> Pipe::write(ByteSource& from, bool non_blocking) {
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
                {.reason = "pipe_write"});
            if (woken != Woken::condition) return total ? Result(total) : Errno::restart;
            continue;
        }
        const bool was_empty = ring_.empty();
        const uint32_t expected = std::min(from.remaining(), ring_.room());
        Result<uint32_t> done = ring_.write(from);
        if ((was_empty && !ring_.empty()) || read_queue_.watched()) read_queue_.wake_all();
        if (done.is_error()) return total ? Result(total) : done.error();
        if (!from.remaining() || done.value() < expected) return total + done.value();
    }
}

Result<uint32_t> Pipe::resize(uint32_t slots) {
    LockGuard guard(lock_);
    TRY(ring_.resize(slots));
    if (ring_.room() >= kPipeBuf) write_queue_.wake_all();
    return ring_.capacity();
}

void Pipe::open_end(bool reads, bool writes) {
    LockGuard guard(lock_);
    if (reads) ++readers_, ++reader_openings_;
    if (writes) ++writers_, ++writer_openings_;
    if (reads) write_queue_.wake_all();
    if (writes) read_queue_.wake_all();
}

void Pipe::close_end(bool reads, bool writes) {
    LockGuard guard(lock_);
    if (reads && --readers_ == 0) write_queue_.wake_all();
    if (writes && --writers_ == 0) read_queue_.wake_all();
}

Result<void> Pipe::wait_for_partner(bool reads) {
    LockGuard guard(lock_);
    // Whoever opens and closes again at once has been there too.
    uint32_t& openings = reads ? writer_openings_ : reader_openings_;
    const bool there = reads ? writers_ : readers_;
    const uint32_t before = openings;
    if (there) return {};
    WaitQueue& queue = reads ? read_queue_ : write_queue_;
    Woken woken = queue.wait(lock_, [&] { return openings != before; }, {.reason = "fifo_open"});
    if (woken != Woken::condition) return Errno::restart;
    return {};
}

class PipeEnd final : public File {
  public:
    PipeEnd(uint32_t flags, Ref<Pipe> pipe, Inode* node, uint32_t number)
        : File(flags), pipe_(std::move(pipe)), node_(node), number_(number) {
        pipe_->open_end(readable(), writable());
        // A FIFO's reader has had no writer to lose until one opens it.
        writers_seen_ = pipe_->writer_openings() - (pipe_->has_writers() ? 1 : 0);
    }
    ~PipeEnd() override {
        pipe_->close_end(readable(), writable());
        if (!node_) return;
        drop_file_locks(*node_, this);
        Ref<RefCounted> last;  // freed outside the lock
        LockGuard guard(fifo_nodes);
        if (--pipe_->ends == 0) last = std::move(node_->rendezvous);
    }

    Pipe& pipe() { return *pipe_; }
    Result<uint32_t> read_at(ByteSink& to, uint64_t) override {
        return pipe_->read(to, non_blocking());
    }
    Result<uint32_t> write_at(ByteSource& from, uint64_t) override {
        return pipe_->write(from, non_blocking());
    }
    Result<int32_t> ioctl(uint32_t request, uint32_t argument) override {
        if (request != kIoctlBytesToRead) return Errno::notty;
        TRY(write_user(UserPtr<uint32_t>(argument), pipe_->count()));
        return 0;
    }
    uint32_t poll(PollTable* table) override;
    bool pollable() const override { return true; }
    Result<Attributes> attributes() override;
    Inode* inode() override { return node_.get(); }
    bool is_pipe() const override { return true; }

  private:
    Ref<Pipe> pipe_;
    Ref<Inode> node_;  // of a FIFO
    uint32_t number_;
    uint32_t writers_seen_ = 0;
    Timestamp made_ = timestamp_now();
};

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
        Ref<RefCounted> last;
        LockGuard guard(fifo_nodes);
        if (--pipe->ends == 0) last = std::move(node.rendezvous);
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

Result<PipeEnds> make_pipe(uint32_t flags) {
    flags &= kOpenNonBlock;
    Ref<Pipe> pipe = TRY(make_ref<Pipe>());
    const uint32_t number = __atomic_add_fetch(&last_pipe, 1, __ATOMIC_RELAXED);
    PipeEnds ends;
    ends.reader = TRY(make_ref<PipeEnd>(flags | kOpenReadOnly, pipe, nullptr, number));
    ends.writer = TRY(make_ref<PipeEnd>(flags | kOpenWriteOnly, pipe, nullptr, number));
    return ends;
}

namespace {
Result<Pipe*> pipe_behind(File& file) {
    if (!file.is_pipe()) return Errno::badf;
    return &static_cast<PipeEnd&>(file).pipe();
}
}  // namespace

Result<uint32_t> pipe_capacity(File& file) { return TRY(pipe_behind(file))->capacity(); }

Result<uint32_t> set_pipe_capacity(File& file, uint32_t bytes, bool superuser) {
    Pipe* pipe = TRY(pipe_behind(file));
    if (bytes > 1u << 31) return Errno::inval;
    uint32_t slots = 1;
    while (slots * kPageSize < bytes) slots *= 2;
    if (slots * kPageSize > kMostPipeBytes && !superuser) return Errno::perm;
    return pipe->resize(slots);
}

void pipes_init() { open_fifo = open_named_pipe; }
