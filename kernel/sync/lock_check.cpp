// Debug builds: each CPU's spin locks and each thread's mutexes are taken in rank order, no mutex is
// waited for with a spin lock held, and a lock is free when it is destroyed. Compiled only with
// ORRERY_CHECK_LOCKS. Locks: none; a CPU's list is its own with interrupts off, a thread's its own.
#include "kernel/sync/lock_check.hpp"

#ifdef ORRERY_CHECK_LOCKS
#include <utility>

#include "kernel/arch/cpu.hpp"
#include "kernel/arch/panic.hpp"
#include "kernel/lib/format.hpp"
#include "kernel/sched/thread.hpp"

namespace {

// The spin locks that each CPU holds. An interrupt handler starts a context of its
// own: it may come while the thread holds any plain SpinLock, and takes only IrqSpinLocks, which
// nobody holds with interrupts on.
constinit HeldLocks held_by_cpu[kMaxCpus] = {};

HeldLocks& mine() { return held_by_cpu[this_cpu().id]; }

}  // namespace

uint32_t lock_check_enter_interrupt() {
    HeldLocks& locks = mine();
    return std::exchange(locks.context_start, locks.depth);
}

void lock_check_leave_interrupt(uint32_t before) {
    HeldLocks& locks = mine();
    if (locks.depth != locks.context_start)
        panic("an interrupt handler left with a spin lock held");
    locks.context_start = before;
}

namespace {

void push(HeldLocks& locks, const void* lock, LockRank rank) {
    if (locks.depth == HeldLocks::kDepth) panic("too many locks held");
    locks.held[locks.depth++] = {lock, rank};
}

void drop(HeldLocks& locks, const void* lock) {
    for (uint32_t i = locks.depth; i-- > 0;)
        if (locks.held[i].lock == lock) {
            for (--locks.depth; i < locks.depth; ++i) locks.held[i] = locks.held[i + 1];
            return;
        }
    panic("a lock is released that is not held");
}

[[noreturn]] void refuse_mutex(LockRank wanted, LockRank held) {
    char text[64];
    panic(format_in(text, "mutex of rank {} wanted, rank {} is held", static_cast<uint32_t>(wanted),
                    static_cast<uint32_t>(held)));
}

}  // namespace

void note_lock_taken(const void* lock, LockRank rank) {
    InterruptsOff off;
    HeldLocks& locks = mine();
    for (uint32_t i = 0; i < locks.depth; ++i) {
        if (locks.held[i].lock == lock) panic("spin lock taken twice");
        if (i >= locks.context_start && locks.held[i].rank >= rank)
            panic("spin locks taken out of order");
    }
    push(locks, lock, rank);
}

void note_lock_released(const void* lock) {
    InterruptsOff off;
    drop(mine(), lock);
}

// A mutex that is taken without waiting (try_lock) cannot close a circle: its order is not checked.
void note_mutex_wanted(const void* mutex, LockRank rank) {
    const HeldLocks& locks = Thread::current().held_mutexes;
    for (uint32_t i = 0; i < locks.depth; ++i) {
        const auto& held = locks.held[i];
        if (held.lock == mutex) panic("mutex taken twice");
        if (held.rank > rank || (held.rank == rank && !may_nest(rank)))
            refuse_mutex(rank, held.rank);
    }
}
void note_mutex_taken(const void* mutex, LockRank rank) {
    push(Thread::current().held_mutexes, mutex, rank);
}
void note_mutex_released(const void* mutex) { drop(Thread::current().held_mutexes, mutex); }

void destroyed_while_held() { panic("a lock is destroyed while it is held"); }

void check_may_sleep() {
    InterruptsOff off;
    if (mine().depth != 0) panic("sleeping while holding a spin lock");
    if (off.were_off()) panic("sleeping with interrupts off");
}
#endif
