// Semaphores of the kernel. Each P and V is a trace event with the value and who waits.
//   IntegerSemaphore  busy waiting: a thread that may not go on stays ready, and looks again at each
//                     turn; it breaks the rule of giving way, and promises no order
//   RecordSemaphore   the value may go below zero; who waits sleeps, in the order of arrival
// Locks: a RecordSemaphore's own IrqSpinLock (rank semaphore); P may sleep, V may be called anywhere.
#pragma once

#include "kernel/sync/sleepers.hpp"
#include "kernel/sync/semaphore_core.hpp"

// What the trace is to call it.
void name_semaphore(const void* semaphore, const char* name);

class IntegerSemaphore {
  public:
    explicit constexpr IntegerSemaphore(int value) : value_(value) {}
    void p();
    void v();
    int value() const { return value_.relaxed(); }
    uint32_t spins() const { return spins_.relaxed(); }  // looks in vain

  private:
    Atomic<int> value_;
    Atomic<uint32_t> spins_ = 0;
};

class RecordSemaphore {
  public:
    explicit constexpr RecordSemaphore(int value) : core_(value) {}
    void p();
    void v();
    int lowest() const NO_LOCK_ANALYSIS { return lowest_; }  // the least value there ever was

  private:
    IrqSpinLock lock_{LockRank::semaphore};
    SemaphoreCore<SleeperQueue> core_ GUARDED_BY(lock_);
    int lowest_ GUARDED_BY(lock_) = 0;
};
