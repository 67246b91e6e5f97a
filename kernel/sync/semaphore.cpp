// See semaphore.hpp.
#include "kernel/sync/semaphore.hpp"

#include "kernel/sched/scheduler.hpp"
#include "kernel/trace/trace.hpp"

namespace {

uint32_t name_of(const void* semaphore) {
    return static_cast<uint32_t>(reinterpret_cast<uintptr_t>(semaphore));
}

}  // namespace

void name_semaphore(const void* semaphore, const char* name) {
    trace<TraceType::semaphore_name_event>(name_of(semaphore), trace_text(name));
}

Sleeper::Sleeper() : thread(&Thread::current()) {}

void Sleeper::wake() {
    woken = true;
    unpark(*thread);
}

void Sleeper::sleep_until_woken(IrqSpinLock& lock, const char* reason) {
    check_may_sleep();
    for (;;) {
        {
            LockGuard guard(lock);
            if (woken) return;
        }
        park({.interruptible = false, .deadline = {}, .reason = reason});
    }
}

void IntegerSemaphore::p() {
    for (;;) {
        int value = this->value();
        while (value > 0)
            if (value_.replace(value, value - 1)) {
                trace<TraceType::semaphore_event>(name_of(this), static_cast<uint32_t>(-1),
                                                  static_cast<uint32_t>(value - 1), 0);
                return;
            }
        spins_.add(1);
        yield();  // the kernel is not preempted: without it nobody could do V on this CPU
    }
}

void IntegerSemaphore::v() {
    const int value = value_.add(1);
    trace<TraceType::semaphore_event>(name_of(this), 1, static_cast<uint32_t>(value), 0);
}

void RecordSemaphore::p() {
    Sleeper self;
    {
        LockGuard guard(lock_);
        const bool goes_on = core_.p(&self);
        const uint32_t value = static_cast<uint32_t>(core_.value()), waiting = core_.waiting();
        if (core_.value() < lowest_) lowest_ = core_.value();
        if (goes_on) {
            trace<TraceType::semaphore_event>(name_of(this), static_cast<uint32_t>(-1), value,
                                              waiting);
            return;
        }
        trace<TraceType::semaphore_wait_event>(name_of(this), static_cast<uint32_t>(-1), value,
                                               waiting);
    }
    self.sleep_until_woken(lock_, "semaphore");
}

void RecordSemaphore::v() {
    LockGuard guard(lock_);
    Sleeper* next = core_.v();
    trace<TraceType::semaphore_event>(name_of(this), 1, static_cast<uint32_t>(core_.value()),
                                      core_.waiting());
    if (next) next->wake();
}
