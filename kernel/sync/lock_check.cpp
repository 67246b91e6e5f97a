// Debug builds: each CPU's spin locks and each thread's mutexes must be taken in rank order, and
// nobody sleeps while holding a spin lock. Compiled only with ORRERY_CHECK_LOCKS.
#include "kernel/sync/spin_lock.hpp"

#ifdef ORRERY_CHECK_LOCKS
#include <utility>

#include "kernel/arch/panic.hpp"
#include "kernel/sched/thread.hpp"

namespace {

// One CPU for now: the spin locks it holds, innermost last. An interrupt handler starts a context
// of its own: it may come while the thread holds any plain SpinLock, and takes only IrqSpinLocks,
// which nobody holds with interrupts on.
constexpr uint32_t kDepth = 32;
struct Held {
    const void* lock;
    LockRank rank;
};
constinit Held held[kDepth] = {};
constinit uint32_t depth = 0;
constinit uint32_t context_start = 0;

}  // namespace

uint32_t lock_check_enter_interrupt() { return std::exchange(context_start, depth); }

void lock_check_leave_interrupt(uint32_t before) {
    if (depth != context_start) panic("an interrupt handler left with a spin lock held");
    context_start = before;
}

void note_lock_taken(const void* lock, LockRank rank, bool may_sleep) {
    if (may_sleep) return;
    InterruptsOff off;
    for (uint32_t i = 0; i < depth; ++i) {
        if (held[i].lock == lock) panic("spin lock taken twice");
        if (i >= context_start && held[i].rank >= rank) panic("spin locks taken out of order");
    }
    if (depth == kDepth) panic("too many spin locks held");
    held[depth++] = {lock, rank};
}

void note_lock_released(const void* lock) {
    InterruptsOff off;
    for (uint32_t i = depth; i-- > 0;)
        if (held[i].lock == lock) {
            for (--depth; i < depth; ++i) held[i] = held[i + 1];
            return;
        }
}

void check_may_sleep() {
    if (depth != 0) panic("sleeping while holding a spin lock");
    if (!interrupts_enabled()) panic("sleeping with interrupts off");
}
#endif
