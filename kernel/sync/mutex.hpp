// Mutex: a lock whose holder may sleep. Waiters queue in order of arrival. Not for interrupt
// handlers. The lock is not interrupted by signals.
#pragma once

#include "kernel/sync/wait_queue.hpp"

class CAPABILITY("mutex") Mutex {
  public:
    explicit constexpr Mutex(LockRank rank) : rank_(rank) {}
    Mutex(const Mutex&) = delete;
    Mutex& operator=(const Mutex&) = delete;

    void lock() ACQUIRE() NO_LOCK_ANALYSIS {
        check_may_sleep();
        if (!try_take()) lock_slowly();
    }
    bool try_lock() TRY_ACQUIRE(true) NO_LOCK_ANALYSIS { return try_take(); }
    void unlock() RELEASE() NO_LOCK_ANALYSIS {
        // 2: taken and perhaps waited for.
        if (__atomic_exchange_n(&state_, 0, __ATOMIC_ACQ_REL) == 2) waiters_.wake_one();
    }
    bool is_locked() const { return __atomic_load_n(&state_, __ATOMIC_RELAXED) != 0; }

  private:
    bool try_take() {
        uint8_t expected = 0;
        return __atomic_compare_exchange_n(&state_, &expected, 1, false, __ATOMIC_ACQUIRE,
                                           __ATOMIC_RELAXED);
    }
    void lock_slowly();

    uint8_t state_ = 0;  // 0 free, 1 taken, 2 taken with waiters
    LockRank rank_;
    WaitQueue waiters_;
};
