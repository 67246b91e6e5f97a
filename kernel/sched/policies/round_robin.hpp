// Round robin: a queue in order of readiness; whoever runs for a whole quantum goes to its end.
// One that a real-time thread pushed aside keeps its place and the rest of its quantum.
// Every operation O(1).
#pragma once

#include "kernel/sched/policies/fair_policy.hpp"

class RoundRobinPolicy : public FairPolicy {
  public:
    explicit constexpr RoundRobinPolicy(const SchedTunables& tunables) : FairPolicy(tunables) {}
    std::string_view name() const override { return "rr"; }
    Nanoseconds turn_end(const SchedEntity& running) const override {
        return running.end_of(tunables_.rr_quantum.ns());
    }

  private:
    void insert(SchedEntity& entity, ReadyReason reason, Nanoseconds) override {
        if (reason == ReadyReason::preempted && !used_up(entity, tunables_.rr_quantum.ns())) {
            queue_.push_front(entity);
        } else {
            entity.turn_used = 0;
            queue_.push_back(entity);
        }
    }
    SchedEntity* take(Nanoseconds) override { return queue_.pop_front(); }

    EntityList queue_;
};
