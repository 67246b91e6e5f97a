// Spin locks. SpinLock is for data that no interrupt handler touches, IrqSpinLock for data that one
// does: it keeps interrupts off while held. The kernel is not preempted while it runs, so a holder
// is always running. Debug builds check owner and rank (lock_rank.hpp).
// Memory order: taking is an acquire, releasing a release; what one holder wrote the next one sees.
#pragma once

#include "kernel/arch/interrupts.hpp"
#include "kernel/sync/annotations.hpp"
#include "kernel/sync/lock_rank.hpp"

// Book-keeping of debug builds (lock_check.cpp); no code otherwise.
#ifdef ORRERY_CHECK_LOCKS
void note_lock_taken(const void* lock, LockRank rank);
void note_lock_released(const void* lock);
void check_may_sleep();
uint32_t lock_check_enter_interrupt();
void lock_check_leave_interrupt(uint32_t before);
#else
inline void note_lock_taken(const void*, LockRank) {}
inline void note_lock_released(const void*) {}
inline void check_may_sleep() {}
inline uint32_t lock_check_enter_interrupt() { return 0; }
inline void lock_check_leave_interrupt(uint32_t) {}
#endif

class CAPABILITY("spin lock") SpinLock {
  public:
    explicit constexpr SpinLock(LockRank rank) : rank_(rank) {}
    SpinLock(const SpinLock&) = delete;
    SpinLock& operator=(const SpinLock&) = delete;

    void lock() ACQUIRE() {
        note_lock_taken(this, rank_);
        while (__atomic_exchange_n(&taken_, true, __ATOMIC_ACQUIRE))
            while (__atomic_load_n(&taken_, __ATOMIC_RELAXED)) serve_shoot_down();
    }
    void unlock() RELEASE() {
        note_lock_released(this);
        __atomic_store_n(&taken_, false, __ATOMIC_RELEASE);
    }
    bool is_locked() const { return __atomic_load_n(&taken_, __ATOMIC_RELAXED); }

  private:
    bool taken_ = false;
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
