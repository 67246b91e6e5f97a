// A Pipe is the bytes on their way and who has it open; a PipeEnd is an open file on it: a pipe's end,
// or a FIFO's.
// Locks: `lock_` guards a Pipe: a Mutex, since user memory is copied under it, which may fault.
#pragma once

#include "fs/inode.hpp"
#include "fs/timestamp.hpp"
#include "kernel/ipc/buffer_pages.hpp"
#include "kernel/ipc/pipe.hpp"
#include "kernel/ipc/pipe_ring.hpp"

extern SpinLock fifo_nodes;  // which Pipe a FIFO's inode has
class Pipe final : public RefCounted {
  public:
    inline Result<uint32_t> read(ByteSink& to, bool non_blocking);
    inline Result<uint32_t> write(ByteSource& from, bool non_blocking);
    void open_end(bool reads, bool writes);
    void close_end(bool reads, bool writes);
    // fifo(7): an end waits until the other has been opened.
    Result<void> wait_for_partner(bool reads);

    Result<uint32_t> resize(uint32_t slots);
    uint32_t capacity() const NO_LOCK_ANALYSIS { return ring_.capacity(); }

    // Unlocked looks, for poll: what changes them wakes the queue that poll() joined before.
    uint32_t count() const NO_LOCK_ANALYSIS { return ring_.count(); }
    uint32_t room() const NO_LOCK_ANALYSIS { return ring_.room(); }
    bool has_readers() const NO_LOCK_ANALYSIS { return readers_.relaxed(); }
    bool has_writers() const NO_LOCK_ANALYSIS { return writers_.relaxed(); }
    uint32_t writer_openings() const NO_LOCK_ANALYSIS { return writer_openings_.relaxed(); }
    WaitQueue& read_queue() { return read_queue_; }
    WaitQueue& write_queue() { return write_queue_; }

    uint32_t ends GUARDED_BY(fifo_nodes) = 0;  // of a FIFO

  private:
    friend class PipeSplice;  // kernel/linux/splice.cpp
    Mutex lock_{LockRank::inode};
    PipeRing<BufferPages> ring_ GUARDED_BY(lock_);
    Atomic<uint32_t> readers_ GUARDED_BY(lock_) = 0, writers_ GUARDED_BY(lock_) = 0;
    Atomic<uint32_t> reader_openings_ GUARDED_BY(lock_) = 0, writer_openings_ GUARDED_BY(lock_) = 0;
    WaitQueue read_queue_, write_queue_;
};

void leave_fifo(Inode& node, Pipe& pipe);  // fifo.cpp

class PipeEnd final : public File {
  public:
    static constexpr char kKind = 0;
    PipeEnd(uint32_t flags, Ref<Pipe> pipe, Inode* node, uint32_t number)
        : File(flags), pipe_(std::move(pipe)), node_(node), number_(number) {
        pipe_->open_end(readable(), writable());
        // A FIFO's reader has had no writer to lose until one opens it.
        writers_seen_ = pipe_->writer_openings() - (pipe_->has_writers() ? 1 : 0);
    }
    ~PipeEnd() override {
        pipe_->close_end(readable(), writable());
        if (node_) leave_fifo(*node_, *pipe_);
    }

    Pipe& pipe() { return *pipe_; }
    Result<uint32_t> read_at(ByteSink& to, uint64_t) override;
    Result<uint32_t> write_at(ByteSource& from, uint64_t) override;
    Result<int32_t> ioctl(uint32_t request, uint32_t argument) override;
    uint32_t poll(PollTable* table) override;
    bool pollable() const override { return true; }
    Result<Attributes> attributes() override;
    Inode* inode() override { return node_.get(); }
    bool may_be_direct() const override { return true; }  // as on Linux; it changes nothing
    const void* kind() const override { return &kKind; }

  private:
    Ref<Pipe> pipe_;
    Ref<Inode> node_;  // of a FIFO
    uint32_t number_;
    uint32_t writers_seen_ = 0;
    Timestamp made_ = timestamp_now();
};
