// Mutex: a lock whose holder may sleep. Waiters queue in order of arrival. Not for interrupt
// handlers. The lock is not interrupted by signals.
#pragma once

#include "kernel/sync/wait_queue.hpp"

class CAPABILITY("mutex") Mutex {
  public:
    explicit constexpr Mutex(LockRank rank) : rank_(rank) {}
#ifdef ORRERY_CHECK_LOCKS
    constexpr ~Mutex() {
        if (state_.last_value()) destroyed_while_held();
    }
#endif
    Mutex(const Mutex&) = delete;
    Mutex& operator=(const Mutex&) = delete;

    void lock() ACQUIRE() NO_LOCK_ANALYSIS {
        check_may_sleep();
        note_mutex_wanted(this, rank_);
        if (!try_take()) lock_slowly();
        note_mutex_taken(this, rank_);
    }
    bool try_lock() TRY_ACQUIRE(true) NO_LOCK_ANALYSIS {
        if (!try_take()) return false;
        note_mutex_taken(this, rank_);
        return true;
    }
    void unlock() RELEASE() NO_LOCK_ANALYSIS {
        note_mutex_released(this);
        // 2: taken and perhaps waited for.
        if (state_.exchange(0) == 2) waiters_.wake_one();
    }
    bool is_locked() const { return state_.relaxed() != 0; }

  private:
    bool try_take() {
        uint8_t expected = 0;
        return state_.replace(expected, 1);
    }
    void lock_slowly();

    Atomic<uint8_t> state_ = 0;  // 0 free, 1 taken, 2 taken with waiters
    LockRank rank_;
    WaitQueue waiters_;
};
