// Timers that are files: a read waits until one has expired and tells how often.
// Locks: each has a Mutex for who sets it and an IrqSpinLock (rank timer_file) for its state, which
// the timer interrupt changes; `clock_timers` (a Mutex) guards the list of those that follow the
// real-time clock.
// Spec: timerfd_create(2).
#pragma once

#include "kernel/linux/anonymous_file.hpp"
#include "kernel/sched/clock.hpp"

class TimerFile final : public AnonymousFile {
  public:
    static constexpr char kKind = 0;
    // How long until it expires (0: it is off), and how often after that (0: once).
    struct Setting {
        Nanoseconds left{0}, interval{0};
    };
    struct Wanted {
        Nanoseconds value{0}, interval{0};  // value 0: off
        bool absolute = false;              // on its clock
        bool cancel_on_set = false;         // reads fail once that clock is set
    };

    TimerFile(bool real_time, uint32_t flags);
    ~TimerFile() override;
    const void* kind() const override { return &kKind; }
    Setting set(const Wanted& wanted);  // what it was
    Setting setting();
    void clock_was_set(int64_t by);  // nanoseconds

    Result<uint32_t> read_at(ByteSink& to, uint64_t) override;
    uint32_t poll(PollTable* table) override;

    ListNode clock_node;  // clock_timers

  private:
    struct OneShot : Timer {
        TimerFile* file;
    };
    static void fire(Timer& timer);
    Setting setting_locked() REQUIRES(lock_);
    uint64_t take_expirations() REQUIRES(lock_);
    bool has_news() const REQUIRES(lock_) { return expired_ || cancelled_; }

    const bool real_time_;
    Mutex settings_{LockRank::inode};  // who sets it, and so starts and stops timer_
    IrqSpinLock lock_{LockRank::timer_file};
    OneShot timer_;
    // Of the expiration that comes next or has not been told yet, on the monotonic clock; 0: off.
    Nanoseconds next_ GUARDED_BY(lock_){0};
    Nanoseconds interval_ GUARDED_BY(lock_){0};
    bool expired_ GUARDED_BY(lock_) = false;
    bool follows_clock_ GUARDED_BY(lock_) = false;
    bool cancel_on_set_ GUARDED_BY(lock_) = false, cancelled_ GUARDED_BY(lock_) = false;
    WaitQueue readers_;
};

Result<Ref<File>> make_timer_file(bool real_time, uint32_t flags);  // ENOMEM
