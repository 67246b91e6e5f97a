// First come, first served: a queue in order of readiness; the one that runs, runs until it sleeps.
// Every operation O(1).
#pragma once

#include "kernel/sched/policies/fair_policy.hpp"

class Fcfs : public FairPolicy {
  public:
    static constexpr std::string_view kName = "fcfs";

  protected:
    bool runs_to_completion() const override { return true; }
    // Puts it into the queue, so that take() finds it in its turn.
    // Lab 5.1: stub { queue_.push_front(entity); }
    void insert(SchedEntity& entity, ReadyReason, Nanoseconds) override {
        queue_.push_back(entity);
    }
    SchedEntity* take(Nanoseconds) override { return queue_.pop_front(); }

  private:
    EntityList queue_;
};
