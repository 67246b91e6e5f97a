// Choosing the policy and its figures while the system runs, and what a thread may ask of it:
// class, priority, nice value, reservation, declared service time.
// Locks: run_queue, inside.
#pragma once

#include "kernel/lib/policy_choice.hpp"
#include "kernel/sched/thread.hpp"

// The policy, and the tunables of all policies: sched=NAME, sched.TUNABLE=VALUE; and in
// /proc/sys/kernel/sched.
extern const PolicyChoice kSchedulerChoice;

// --- threads
struct SchedParameters {
    SchedClass sched_class = SchedClass::fair;
    uint8_t rt_priority = 0;                         // classes fifo and round_robin
    int nice = 0;                                    // class fair
    uint64_t runtime = 0, deadline = 0, period = 0;  // nanoseconds; class deadline
    uint64_t declared = 0;  // class fair: service time of its job; 0: not declared
    uint8_t fair_kind = 0;  // see Thread
    bool reset_on_fork = false;
};
SchedParameters sched_parameters(const Thread& thread);
// EBUSY: deadline reservations would exceed what the CPU has.
Result<void> set_sched_parameters(Thread& thread, const SchedParameters& wanted);
void set_nice(Thread& thread, int nice);
// CPUs as bits; EINVAL: none of them exists. A thread that runs elsewhere leaves at once.
Result<void> set_affinity(Thread& thread, uint32_t wanted);
uint32_t affinity_of(const Thread& thread);
void inherit_scheduling(Thread& child, const Thread& parent);

// How long the thread may run before another one of its kind: 0 without an end.
uint64_t turn_length(const Thread& thread);
