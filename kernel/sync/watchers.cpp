// What is on wait queues without being a thread: watchers, which epoll and O_ASYNC have. See wait_queue.hpp.
#include "kernel/sync/wait_queue.hpp"

// A thread that notifies is not preempted, so these waits are for another CPU, and short.
void WaitQueue::watch(Watcher& watcher, bool one_is_enough) {
    watched_.store_relaxed(true);
    for (;;) {
        {
            LockGuard guard(lock_);
            if (watcher.node.linked()) return;
            if (!watcher.notified_.relaxed())
                return (one_is_enough ? exclusive_ : waiters_).push_back(watcher);
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
bool WaitQueue::tell(Watcher& watcher) {
    watcher.notified_.store_relaxed(true);
    lock_.unlock();
    const bool used_up = watcher.notify();
    watcher.notified_.store(false);
    lock_.lock();
    return used_up;
}

// All threads, and the watchers up to the first that uses the news up.
void WaitQueue::wake_all_exclusive() {
    List<Waiter, &Waiter::node> untold;
    for (bool used_up = false; Waiter* waiter = exclusive_.pop_front();) {
        if (waiter->thread)
            wake(*waiter);
        else if (used_up)
            untold.push_back(*waiter);
        else
            used_up = wake(*waiter);
    }
    while (Waiter* waiter = untold.pop_front()) exclusive_.push_back(*waiter);
}
