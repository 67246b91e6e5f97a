// Round robin: a queue in order of readiness; one that has run for a whole quantum goes to its end.
// One that a real-time thread pushed aside keeps its place and the rest of its quantum.
// Every operation O(1).
#pragma once

#include "kernel/sched/policies/fair_policy.hpp"

class RoundRobin : public FairPolicy {
  public:
    static constexpr std::string_view kName = "rr";
    struct Tunables {
        Tunable quantum{.name = "rr_quantum_us",
                        .meaning = "length of a turn",
                        .least = 100,
                        .values = {20'000}};
    } tunables;

    // When its turn is over, if it runs until then.
    // Lab 5.5: stub { return kNever; }
    Nanoseconds turn_end(const SchedEntity& running) const override {
        return running.end_of(tunables.quantum.ns());
    }

  protected:
    // A used-up turn sends it to the end of the queue, with a whole turn to come. One that was
    // preempted with time left goes on where it was.
    // Lab 5.5: stub { queue_.push_back(entity); }
    void insert(SchedEntity& entity, ReadyReason reason, Nanoseconds) override {
        if (reason == ReadyReason::preempted && !used_up(entity, tunables.quantum.ns()))
            return queue_.push_front(entity);
        entity.turn_used = 0;
        queue_.push_back(entity);
    }
    SchedEntity* take(Nanoseconds) override { return queue_.pop_front(); }

  private:
    EntityList queue_;
};
