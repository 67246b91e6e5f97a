// See monitor.hpp.
#include "kernel/sync/monitor.hpp"

void Monitor::enter() {
    Sleeper self;
    {
        LockGuard guard(lock_);
        if (core_.enter(&self)) return;
    }
    self.sleep_until_woken(lock_, "monitor");
}

void Monitor::leave() {
    LockGuard guard(lock_);
    if (Sleeper* next = core_.leave()) next->wake();
}

void Monitor::wait(Condition& condition) {
    Sleeper self;
    {
        LockGuard guard(lock_);
        if (Sleeper* next = core_.wait(condition.waiting_, &self)) next->wake();
    }
    self.sleep_until_woken(lock_, "condition");
}

void Monitor::signal(Condition& condition) {
    Sleeper self;
    {
        LockGuard guard(lock_);
        Sleeper* next = core_.signal(condition.waiting_, &self);
        if (!next) return;
        next->wake();
    }
    self.sleep_until_woken(lock_, "monitor");
}
