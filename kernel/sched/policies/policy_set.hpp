// The list of policies: one instance of each, in storage of the run queue's own. A policy exists
// for the kernel, its boot option and /proc/sys/kernel/sched/policy by standing in this list.
// (Trees verify in their destructor that they are empty, so a set in static storage is made by
// placement new when the dispatcher starts: the kernel has no static constructors.)
#pragma once

#include <span>

#include "kernel/sched/policies/fcfs.hpp"
#include "kernel/sched/policies/hrrn.hpp"
#include "kernel/sched/policies/mlfq.hpp"
#include "kernel/sched/policies/priority.hpp"
#include "kernel/sched/policies/round_robin.hpp"
#include "kernel/sched/policies/shortest.hpp"
#include "kernel/sched/policies/stride.hpp"

class PolicySet {
  public:
    explicit constexpr PolicySet(const SchedTunables& tunables)
        : fcfs_(tunables),
          sjf_(tunables),
          srtn_(tunables),
          hrrn_(tunables),
          rr_(tunables),
          priority_(tunables),
          mlfq_(tunables),
          stride_(tunables) {}
    PolicySet(const PolicySet&) = delete;
    PolicySet& operator=(const PolicySet&) = delete;

    std::span<FairPolicy* const> all() const { return all_; }
    FairPolicy* find(std::string_view name) const {
        for (FairPolicy* policy : all_)
            if (policy->name() == name) return policy;
        return nullptr;
    }

  private:
    Fcfs fcfs_;
    Sjf sjf_;
    Srtn srtn_;
    Hrrn hrrn_;
    RoundRobinPolicy rr_;
    PriorityPolicy priority_;
    Mlfq mlfq_;
    Stride stride_;
    FairPolicy* const all_[8] = {&fcfs_, &sjf_, &srtn_, &hrrn_, &rr_, &priority_, &mlfq_, &stride_};
};
