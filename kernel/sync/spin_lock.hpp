// Spin locks. SpinLock is for data that no interrupt handler touches, IrqSpinLock for data that one
// does: it keeps interrupts off while held. The kernel is not preempted while it runs, so a holder
// is always running. Debug builds check owner and rank (lock_rank.hpp).
// Memory order: taking is an acquire, releasing a release; what one holder wrote the next one sees.
#pragma once

#include "kernel/arch/interrupts.hpp"
#include "kernel/lib/atomic.hpp"
#include "kernel/sync/annotations.hpp"
#include "kernel/sync/lock_check.hpp"

class CAPABILITY("spin lock") SpinLock {
  public:
    explicit constexpr SpinLock(LockRank rank) : rank_(rank) {}
#ifdef ORRERY_CHECK_LOCKS
    constexpr ~SpinLock() {
        if (taken_.last_value()) destroyed_while_held();
    }
#endif
    SpinLock(const SpinLock&) = delete;
    SpinLock& operator=(const SpinLock&) = delete;

    void lock() ACQUIRE() {
        note_lock_taken(this, rank_);
        while (taken_.exchange(true))
            while (taken_.relaxed()) serve_shoot_down();
    }
    void unlock() RELEASE() {
        note_lock_released(this);
        taken_.store(false);
    }
    bool is_locked() const { return taken_.relaxed(); }

  private:
    Atomic<bool> taken_ = false;
    LockRank rank_;
};

class CAPABILITY("spin lock") IrqSpinLock {
  public:
    explicit constexpr IrqSpinLock(LockRank rank) : lock_(rank) {}

    void lock() ACQUIRE() NO_LOCK_ANALYSIS {
        uint32_t flags = read_flags();
        disable_interrupts();
        lock_.lock();
        flags_ = flags;
    }
    void unlock() RELEASE() NO_LOCK_ANALYSIS {
        uint32_t flags = flags_;
        lock_.unlock();
        if (flags & kFlagInterrupts) enable_interrupts();
    }
    bool is_locked() const { return lock_.is_locked(); }

  private:
    SpinLock lock_;
    uint32_t flags_ = 0;  // the holder's interrupt flag from before
};

template <typename L>
class SCOPED_CAPABILITY LockGuard {
  public:
    explicit LockGuard(L& lock) ACQUIRE(lock) : lock_(lock) { lock_.lock(); }
    ~LockGuard() RELEASE() { lock_.unlock(); }
    LockGuard(const LockGuard&) = delete;
    LockGuard& operator=(const LockGuard&) = delete;

  private:
    L& lock_;
};

// Data that can only be reached while its lock is held.
template <typename T, LockRank rank, typename L = IrqSpinLock>
class Guarded {
  public:
    template <typename... Args>
    explicit constexpr Guarded(Args&&... args) : value_(static_cast<Args&&>(args)...) {}
    template <typename F>
    decltype(auto) with(F&& action) {
        LockGuard guard(lock_);
        return action(value_);
    }

  private:
    L lock_{rank};
    T value_;
};
