// Shortest job first, and its preemptive form, shortest remaining time next. A time is what the
// program declared or, failing that, the average of its past bursts (sched_entity.hpp); it is
// compared in grains, so that jobs which differ by noise alone go in queue order.
// Whoever runs on though its expected time is over by an eighth is expected to need as much again;
// without that, one wrong guess would let a program keep the CPU for ever under srtn.
// Every operation O(log n).
#pragma once

#include "kernel/sched/policies/fair_policy.hpp"

class ShortestPolicy : public FairPolicy {
  protected:
    using FairPolicy::FairPolicy;
    ~ShortestPolicy() = default;

    void insert(SchedEntity& entity, ReadyReason, Nanoseconds now) override {
        entity.key = in_grains(entity.service_left(now));
        queue_.insert(entity);
    }
    void remove(SchedEntity& entity) override { queue_.remove(entity); }
    SchedEntity* take(Nanoseconds) override {
        SchedEntity* shortest = queue_.first();
        queue_.remove(*shortest);
        return shortest;
    }

  private:
    EntityTree queue_;
};

class Sjf final : public ShortestPolicy {
  public:
    explicit constexpr Sjf(const SchedTunables& tunables) : ShortestPolicy(tunables) {}
    std::string_view name() const override { return "sjf"; }

  private:
    bool runs_to_completion() const override { return true; }
};

class Srtn final : public ShortestPolicy {
  public:
    explicit constexpr Srtn(const SchedTunables& tunables) : ShortestPolicy(tunables) {}
    std::string_view name() const override { return "srtn"; }
    bool preempts(const SchedEntity& woken, const SchedEntity& running,
                  Nanoseconds now) const override {
        return woken.key < in_grains(running.service_left(now));
    }
    // Not the end of a turn but of a belief: it is queued again by a new one.
    Nanoseconds turn_end(const SchedEntity& running) const override {
        const uint64_t limit = running.service_limit();
        return running.run_since + (limit > running.served ? limit - running.served : 0);
    }
};
