// Book-keeping of debug builds (ORRERY_CHECK_LOCKS): which locks are held, in which order; no code
// otherwise. What it finds wrong is a panic. See lock_check.cpp.
#pragma once

#include "kernel/sync/lock_rank.hpp"

// Innermost last: the spin locks of a CPU, the mutexes of a thread.
struct HeldLocks {
    static constexpr uint32_t kDepth = 32;
    struct {
        const void* lock;
        LockRank rank;
    } held[kDepth] = {};
    uint32_t depth = 0, context_start = 0;
};

#ifdef ORRERY_CHECK_LOCKS
void note_lock_taken(const void* lock, LockRank rank);
void note_lock_released(const void* lock);
void note_mutex_wanted(const void* mutex, LockRank rank);
void note_mutex_taken(const void* mutex, LockRank rank);
void note_mutex_released(const void* mutex);
void check_may_sleep();
[[noreturn]] void destroyed_while_held();
uint32_t lock_check_enter_interrupt();
void lock_check_leave_interrupt(uint32_t before);
#else
inline void note_lock_taken(const void*, LockRank) {}
inline void note_lock_released(const void*) {}
inline void note_mutex_wanted(const void*, LockRank) {}
inline void note_mutex_taken(const void*, LockRank) {}
inline void note_mutex_released(const void*) {}
inline void check_may_sleep() {}
inline uint32_t lock_check_enter_interrupt() { return 0; }
inline void lock_check_leave_interrupt(uint32_t) {}
#endif
