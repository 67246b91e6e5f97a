// See wait_queue.hpp, and sched/thread.hpp for parking; watchers.cpp has what polls. Mutex's slow path is here too.
#include "kernel/sync/wait_queue.hpp"

#include "kernel/sched/thread.hpp"
#include "kernel/sync/mutex.hpp"
#include "kernel/trace/trace.hpp"

void WaitQueue::add(Waiter& waiter, bool one_is_enough) {
    LockGuard guard(lock_);
    waiter.thread = &Thread::current();
    (one_is_enough ? exclusive_ : waiters_).push_back(waiter);
}

void WaitQueue::remove(Waiter& waiter) {
    LockGuard guard(lock_);
    if (waiter.node.linked()) waiter.node.unlink();
}

bool WaitQueue::wake(Waiter& waiter) {
    if (!waiter.thread) [[unlikely]]
        return tell(static_cast<Watcher&>(waiter));
    unpark(*waiter.thread);
    return true;
}

// The sleeper stays on the queue's list until it has run and removed itself, under the lock, so
// its Thread is alive while we hold it. A woken waiter leaves the list here: the next wake_one
// goes to another waiter.
bool WaitQueue::wake_one() {
    LockGuard guard(lock_);
    Waiter* waiter = waiters_.pop_front();
    return waiter && wake(*waiter);
}

void WaitQueue::wake_all() {
    // The condition became true before this look; a waiter joins before it looks at the condition.
    full_fence();
    if (looks_empty()) return;
    LockGuard guard(lock_);
    while (Waiter* waiter = waiters_.pop_front()) wake(*waiter);
    wake_all_exclusive();
}

void WaitQueue::wake_next() {
    full_fence();
    if (looks_empty()) return;
    LockGuard guard(lock_);
    while (Waiter* waiter = waiters_.pop_front()) wake(*waiter);
    for (Waiter* waiter; (waiter = exclusive_.pop_front()) && !wake(*waiter);) {
    }
}

void WaitQueue::wake_another() {
    if (looks_empty()) return;
    LockGuard guard(lock_);
    for (Waiter* waiter; (waiter = exclusive_.pop_front()) && !wake(*waiter);) {
    }
}

Woken WaitQueue::park(const WaitOptions& options) { return ::park(options); }

void Mutex::lock_slowly() {
    const uint32_t which = static_cast<uint32_t>(reinterpret_cast<uintptr_t>(this));
    trace<TraceType::lock_wait_event>(which, static_cast<uint32_t>(rank_));
    while (state_.exchange(2) != 0) {
        Waiter waiter;
        waiters_.add(waiter);
        if (state_.relaxed() == 2)
            park({.interruptible = false, .deadline = {}, .reason = "mutex"});
        waiters_.remove(waiter);
    }
    trace<TraceType::lock_taken_event>(which, static_cast<uint32_t>(rank_));
}
