// First come, first served: a queue in order of readiness; whoever runs, runs until it sleeps.
// Every operation O(1).
#pragma once

#include "kernel/sched/policies/fair_policy.hpp"

class Fcfs final : public FairPolicy {
  public:
    explicit constexpr Fcfs(const SchedTunables& tunables) : FairPolicy(tunables) {}
    std::string_view name() const override { return "fcfs"; }

  private:
    bool runs_to_completion() const override { return true; }
    void insert(SchedEntity& entity, ReadyReason, Nanoseconds) override {
        queue_.push_back(entity);
    }
    SchedEntity* take(Nanoseconds) override { return queue_.pop_front(); }

    EntityList queue_;
};
