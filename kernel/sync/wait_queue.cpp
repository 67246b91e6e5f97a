// See wait_queue.hpp, and sched/thread.hpp for parking. Mutex's slow path is here too.
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

// A thread that notifies is not preempted, so these waits are for another CPU, and short.
void WaitQueue::watch(Watcher& watcher) {
    watched_.store_relaxed(true);
    for (;;) {
        {
            LockGuard guard(lock_);
            if (watcher.node.linked()) return;
            if (!watcher.notified_.relaxed()) return waiters_.push_back(watcher);
        }
        while (watcher.notified_.load()) serve_shoot_down();
    }
}

void WaitQueue::unwatch(Watcher& watcher) {
    {
        LockGuard guard(lock_);
        if (watcher.node.linked()) watcher.node.unlink();
    }
    while (watcher.notified_.load()) serve_shoot_down();
}

// A watcher wakes others in turn, whose queues' locks have the rank of this one.
void WaitQueue::wake(Waiter& waiter) {
    if (waiter.thread) [[likely]]
        return unpark(*waiter.thread);
    auto& watcher = static_cast<Watcher&>(waiter);
    watcher.notified_.store_relaxed(true);
    lock_.unlock();
    watcher.notify();
    watcher.notified_.store(false);
    lock_.lock();
}

// The sleeper stays on the queue's list until it has run and removed itself, under the lock, so
// its Thread is alive while we hold it. A woken waiter leaves the list here: the next wake_one
// goes to another waiter.
void WaitQueue::wake_one() {
    LockGuard guard(lock_);
    if (Waiter* waiter = waiters_.pop_front()) wake(*waiter);
}

void WaitQueue::wake_all() {
    // The condition became true before this look; a waiter joins before it looks at the condition.
    full_fence();
    if (looks_empty()) return;
    LockGuard guard(lock_);
    while (Waiter* waiter = waiters_.pop_front()) wake(*waiter);
    while (Waiter* waiter = exclusive_.pop_front()) wake(*waiter);
}

void WaitQueue::wake_next() {
    full_fence();
    if (looks_empty()) return;
    LockGuard guard(lock_);
    while (Waiter* waiter = waiters_.pop_front()) wake(*waiter);
    if (Waiter* waiter = exclusive_.pop_front()) wake(*waiter);
}

void WaitQueue::wake_another() {
    if (looks_empty()) return;
    LockGuard guard(lock_);
    if (Waiter* waiter = exclusive_.pop_front()) wake(*waiter);
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
