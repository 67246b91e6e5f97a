// See event_counter.hpp.
// Locks: `lock_` (a Mutex of rank inode, because it is held while the reader's memory is written,
// which may fault) guards the value. Readers sleep at 0, writers while their sum would not fit.
#include "kernel/linux/event_counter.hpp"

#include "kernel/linux/anonymous_file.hpp"

namespace {

constexpr uint64_t kMost = UINT64_MAX - 1;

class EventCounter final : public AnonymousFile {
  public:
    EventCounter(uint32_t initial, uint32_t flags, bool one_by_one)
        : AnonymousFile(flags, "anon_inode:[eventfd]"), value_(initial), one_by_one_(one_by_one) {}

    Result<uint32_t> read_at(ByteSink& to, uint64_t) override;
    Result<uint32_t> write_at(ByteSource& from, uint64_t) override;
    uint32_t poll(PollTable* table) override NO_LOCK_ANALYSIS;

  private:
    Mutex lock_{LockRank::inode};
    uint64_t value_ GUARDED_BY(lock_);
    const bool one_by_one_;
    WaitQueue readers_, writers_;
};

Result<uint32_t> EventCounter::read_at(ByteSink& to, uint64_t) {
    uint64_t taken;
    if (to.remaining() < sizeof taken) return Errno::inval;
    LockGuard guard(lock_);
    if (!value_ && non_blocking()) return Errno::again;
    const Woken woken = readers_.wait(lock_, [&]() NO_LOCK_ANALYSIS { return value_ != 0; },
                                      {.reason = "eventfd_read"});
    if (woken != Woken::condition) return Errno::restart;
    taken = one_by_one_ ? 1 : value_;
    if (to.put(&taken, sizeof taken) != sizeof taken) return Errno::fault;
    value_ -= taken;
    writers_.wake_all();
    return static_cast<uint32_t>(sizeof taken);
}

Result<uint32_t> EventCounter::write_at(ByteSource& from, uint64_t) {
    uint64_t added;
    if (from.remaining() < sizeof added) return Errno::inval;
    if (from.take(&added, sizeof added) != sizeof added) return Errno::fault;
    if (added > kMost) return Errno::inval;
    LockGuard guard(lock_);
    if (added > kMost - value_ && non_blocking()) return Errno::again;
    const Woken woken =
        writers_.wait(lock_, [&]() NO_LOCK_ANALYSIS { return added <= kMost - value_; },
                      {.reason = "eventfd_write"});
    if (woken != Woken::condition) return Errno::restart;
    value_ += added;
    if (added) readers_.wake_all();
    return static_cast<uint32_t>(sizeof added);
}

uint32_t EventCounter::poll(PollTable* table) {
    if (table) {
        table->watch(readers_, kPollIn);
        table->watch(writers_, kPollOut);
    }
    LockGuard guard(lock_);
    return (value_ ? kPollIn : 0) | (value_ < kMost ? kPollOut : 0);
}

}  // namespace

Result<Ref<File>> make_event_counter(uint32_t initial, uint32_t flags, bool one_by_one) {
    Ref<EventCounter> file = TRY(make_ref<EventCounter>(initial, flags, one_by_one));
    return Ref<File>(std::move(file));
}
