// Debug builds: each CPU's spin locks and each thread's mutexes must be taken in rank order, and
// nobody sleeps while holding a spin lock. Compiled only with ORRERY_CHECK_LOCKS.
#include "kernel/sync/spin_lock.hpp"

#ifdef ORRERY_CHECK_LOCKS
#include <utility>

#include "kernel/arch/cpu.hpp"
#include "kernel/arch/panic.hpp"
#include "kernel/sched/thread.hpp"

namespace {

// The spin locks that each CPU holds, innermost last. An interrupt handler starts a context of its
// own: it may come while the thread holds any plain SpinLock, and takes only IrqSpinLocks, which
// nobody holds with interrupts on.
constexpr uint32_t kDepth = 32;
struct Held {
    const void* lock;
    LockRank rank;
};
struct HeldLocks {
    Held held[kDepth];
    uint32_t depth, context_start;
};
constinit HeldLocks all[kMaxCpus] = {};

HeldLocks& mine() { return all[this_cpu().id]; }

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

void note_lock_taken(const void* lock, LockRank rank) {
    InterruptsOff off;
    HeldLocks& locks = mine();
    for (uint32_t i = 0; i < locks.depth; ++i) {
        if (locks.held[i].lock == lock) panic("spin lock taken twice");
        if (i >= locks.context_start && locks.held[i].rank >= rank)
            panic("spin locks taken out of order");
    }
    if (locks.depth == kDepth) panic("too many spin locks held");
    locks.held[locks.depth++] = {lock, rank};
}

void note_lock_released(const void* lock) {
    InterruptsOff off;
    HeldLocks& locks = mine();
    for (uint32_t i = locks.depth; i-- > 0;)
        if (locks.held[i].lock == lock) {
            for (--locks.depth; i < locks.depth; ++i) locks.held[i] = locks.held[i + 1];
            return;
        }
    panic("a spin lock released by who doesn't hold it");
}

void check_may_sleep() {
    InterruptsOff off;
    if (mine().depth != 0) panic("sleeping while holding a spin lock");
    if (off.were_off()) panic("sleeping with interrupts off");
}
#endif
