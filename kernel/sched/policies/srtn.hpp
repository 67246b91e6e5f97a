// Shortest remaining time next: shortest job first with preemption. A job that arrives takes the CPU
// if it needs less time than the running one still does.
// A job that runs on though its expected time is over by an eighth is expected to need as much again:
// without that, one wrong guess would let a program keep the CPU for ever. Every operation O(log n).
#pragma once

#include "kernel/sched/policies/fair_policy.hpp"

class Srtn : public FairPolicy {
  public:
    static constexpr std::string_view kName = "srtn";

    // Does `woken`, just queued, take the CPU from `running`? Not if it needs as long.
    // Lab 5.3: stub { return false; }
    bool preempts(const SchedEntity& woken, const SchedEntity& running,
                  Nanoseconds now) const override {
        return woken.key < in_grains(running.service_left(now));
    }
    // When its expected time turns out to be wrong: it is queued again by a new one.
    Nanoseconds turn_end(const SchedEntity& running) const override {
        const uint64_t limit = running.service_limit();
        return running.run_since + (limit > running.served ? limit - running.served : 0);
    }

  protected:
    // Puts it into the tree, by the time that it still needs.
    // Lab 5.3: stub { queue_.insert(entity); }
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
