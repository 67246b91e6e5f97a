// Shortest job first, without preemption. The service time of a job is what the program declared or,
// failing that, the average of its past bursts (sched_entity.hpp); times are compared in grains, so
// that jobs which differ by noise alone go in queue order. Every operation O(log n).
#pragma once

#include "kernel/sched/policies/fair_policy.hpp"

class Sjf : public FairPolicy {
  public:
    static constexpr std::string_view kName = "sjf";

  protected:
    bool runs_to_completion() const override { return true; }
    // Puts it into the tree, by the time that it still needs. Equal ones stay in queue order.
    // Lab 5.2: stub { queue_.insert(entity); }
    void insert(SchedEntity& entity, ReadyReason, Nanoseconds now) override {
        entity.key = in_grains(entity.service_left(now));
        queue_.insert(entity);
    }
    void remove(SchedEntity& entity) override { queue_.remove(entity); }
    // The one with the smallest key.
    SchedEntity* take(Nanoseconds) override {
        SchedEntity* shortest = queue_.first();
        queue_.remove(*shortest);
        return shortest;
    }

  private:
    EntityTree queue_;
};
