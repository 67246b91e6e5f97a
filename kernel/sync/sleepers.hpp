// Threads that sleep until they are named: what the queues of semaphores and monitors hold.
// A sleeper looks at `woken` under its owner's lock only, so that the thread that woke it has let go of it.
// Locks: that of the semaphore or monitor whose queue it is.
#pragma once

#include "kernel/lib/list.hpp"
#include "kernel/sync/spin_lock.hpp"

class Thread;

struct Sleeper {
    Sleeper();  // the current thread
    ListNode node;
    Thread* thread;
    bool woken = false;

    void wake();                                                    // lock held
    void sleep_until_woken(IrqSpinLock& lock, const char* reason);  // lock not held
};

class SleeperQueue {
  public:
    using Entry = Sleeper*;
    constexpr SleeperQueue() = default;
    void push(Sleeper* sleeper) {
        list_.push_back(*sleeper);
        ++size_;
    }
    Sleeper* pop() {
        if (size_) --size_;
        return list_.pop_front();
    }
    unsigned size() const { return size_; }

  private:
    List<Sleeper, &Sleeper::node> list_;
    unsigned size_ = 0;
};
