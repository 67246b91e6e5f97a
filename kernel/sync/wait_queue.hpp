// Wait queues: where threads sleep until something they wait for may have come true.
// A sleeper re-checks its condition itself, so a wake-up may be spurious and is never lost: a
// thread parks only if nobody unparked it since it joined the queue (sched/thread.hpp).
// Locks: each queue has its own IrqSpinLock (rank wait_queue), so that interrupt handlers may wake.
#pragma once

#include "kernel/lib/list.hpp"
#include "kernel/lib/types.hpp"
#include "kernel/sync/spin_lock.hpp"

class Thread;

enum class Woken : uint8_t { condition, interrupted, timed_out };

struct WaitOptions {
    bool interruptible = true;    // a signal ends the wait
    Nanoseconds deadline{0};      // of monotonic_now(); 0: none
    const char* reason = "wait";  // for ps, traces and the debugger; must live forever
    // What is waited for is used up by one: wake_next() wakes one of those who wait so.
    bool one_is_enough = false;
};

// One thread on one queue.
struct Waiter {
    ListNode node;
    Thread* thread = nullptr;  // null: a Watcher
};

// A watcher on a queue is told of the wake-up instead of being woken, and leaves the queue
// by it as a thread does.
class Watcher : public Waiter {
  public:
    // The queue's lock is not held, but perhaps the waker's, and it may be an interrupt: takes
    // locks of the rank wait_queue and above only, and never sleeps. Whether the news is used up by that.
    virtual bool notify() = 0;

  protected:
    ~Watcher() = default;

  private:
    friend class WaitQueue;
    Atomic<bool> notified_ = false;  // notify() runs, or is about to
};

class WaitQueue {
  public:
    constexpr WaitQueue() = default;

    void wake_all();
    bool wake_one();  // the one that has waited longest; whether there was one
    // Something came that one can use up: the first of those for whom one is enough, and all others. Who
    // leaves something passes the news on: wake_another().
    void wake_next();
    void wake_another();

    // For polling several queues at once: join all, check, park(), leave all.
    void add(Waiter& waiter, bool one_is_enough = false);  // sets waiter.thread to the current one
    void remove(Waiter& waiter);                           // no-op if it is not on a queue
    // The same for who wants to be told. A watcher is on one queue at a time, and may be on this
    // one already. After unwatch() no notify() of it runs. If one is enough: none of those after the one
    // that uses the news up is told.
    void watch(Watcher& watcher, bool one_is_enough = false);
    void unwatch(Watcher& watcher);
    // Whether it was ever watched: then each change wakes, not only the first.
    bool watched() const { return watched_.relaxed(); }

    // Sleeps until `ready()` is true. `lock` is held on entry, while ready() runs, and on return;
    // it is released while asleep. Any lock type; sleeping with another spin lock held is a bug.
    template <typename L, typename F>
    Woken wait(L& lock, F&& ready, const WaitOptions& options = {}) NO_LOCK_ANALYSIS {
        while (!ready()) {
            Waiter waiter;
            add(waiter, options.one_is_enough);
            lock.unlock();
            Woken woken = park(options);
            remove(waiter);
            lock.lock();
            if (woken != Woken::condition) return ready() ? Woken::condition : woken;
        }
        return Woken::condition;
    }

  private:
    static Woken park(const WaitOptions& options);
    bool wake(Waiter& waiter) REQUIRES(lock_);  // whether that uses the news up
    bool tell(Watcher& watcher) REQUIRES(lock_);
    void wake_all_exclusive() REQUIRES(lock_);
    bool looks_empty() const NO_LOCK_ANALYSIS { return waiters_.empty() && exclusive_.empty(); }

    IrqSpinLock lock_{LockRank::wait_queue};
    List<Waiter, &Waiter::node> waiters_ GUARDED_BY(lock_), exclusive_
        GUARDED_BY(lock_);  // exclusive: one is enough
    Atomic<bool> watched_ = false;
};
