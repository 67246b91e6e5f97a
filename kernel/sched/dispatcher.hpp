// What the files of the dispatcher share, and nobody else includes: the one run queue (a real-time
// class above the chosen policy), its lock, and the one place where states change.
// Locks: run_queue (a plain SpinLock used with interrupts off, because a context switch hands it
// from one thread to the next).
#pragma once

#include "kernel/sched/clock.hpp"
#include "kernel/sched/policies/policy_set.hpp"
#include "kernel/sched/policies/real_time.hpp"
#include "kernel/sched/thread.hpp"
#include "kernel/sync/spin_lock.hpp"

extern SpinLock run_queue_lock;
extern SchedTunables sched_tunables;
extern PolicySet* policy_set;
extern RealTimeClass* run_queue;

class RunQueueGuard {
  public:
    RunQueueGuard() { run_queue_lock.lock(); }
    ~RunQueueGuard() { run_queue_lock.unlock(); }

  private:
    InterruptsOff off_;
};

// All of these: interrupts off, run_queue held.
void set_state(Thread& thread, ThreadState state, const char* reason, Nanoseconds now);
void note_thread_started(Thread& thread);  // counts it, and keeps a reference
void make_ready(Thread& thread, ReadyReason reason, Nanoseconds now);
void arm_dispatch_timer();                 // for the turn of whoever runs, and throttled ones
void release_reservation(Thread& thread);  // it ends: its share of the CPU is free again

inline bool is_queued(const Thread& thread) { return thread.state == ThreadState::ready; }
