// Monitors of the kernel, in Hoare's and in Mesa's discipline (monitor_core.hpp). For data whose users
// wait for each other; for a mere critical section there is Mutex.
// Locks: the monitor's own IrqSpinLock (rank semaphore) for its queues; being inside is a sleeping lock.
#pragma once

#include "kernel/sync/monitor_core.hpp"
#include "kernel/sync/sleepers.hpp"

class Monitor {
  public:
    class Condition {
        friend class Monitor;
        SleeperQueue waiting_;
    };
    explicit constexpr Monitor(Discipline discipline) : core_(discipline) {}

    void enter();
    void leave();
    // Inside only. Under Mesa's discipline wait() may return when the condition is false again.
    void wait(Condition& condition);
    void signal(Condition& condition);

  private:
    IrqSpinLock lock_{LockRank::semaphore};
    MonitorCore<SleeperQueue> core_ GUARDED_BY(lock_);
};
