// The list of schedulers, in the order in which /proc shows them. A new one is a file in policies/ and
// a word here (kernel/lib/policy_list.hpp).
#pragma once

#include "kernel/sched/policies/all.hpp"

struct Schedulers : PolicyList<FairPolicy, Fcfs, Sjf, Srtn, Hrrn, RoundRobin, Priority, Mlfq,
                               Stride, HrrnFast, PriorityFast> {};
using DefaultScheduler = RoundRobin;

// Those that may choose which job is let in (jobs.hpp): jobs wait, and are not preempted.
using JobSchedulers = PolicyList<FairPolicy, Fcfs, Sjf, Hrrn, Priority>;

inline constexpr auto kSchedulerTunables =
    join_tunables(Schedulers::default_tunables(), default_tunables<RealTimeClass::Tunables>());
