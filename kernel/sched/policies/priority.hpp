// Priority by nice value, lowest first; preemptive or not, with ageing or without.
// With ageing, every priority_aging of waiting counts as one level, without steps and without end:
// whoever waits long enough passes any other. All who wait gain alike, so their order is fixed
// when they are queued: by (time of queueing + level * priority_aging).
// Who is picked keeps the level that it had reached; if preemptive, for one priority_quantum, after
// which it stands in line again with its own. Without that, it would lose the CPU at once.
// Every operation O(log n).
#pragma once

#include "kernel/sched/policies/fair_policy.hpp"

class PriorityPolicy final : public FairPolicy {
  public:
    explicit constexpr PriorityPolicy(const SchedTunables& tunables) : FairPolicy(tunables) {}
    std::string_view name() const override { return "priority"; }
    bool preempts(const SchedEntity& woken, const SchedEntity& running,
                  Nanoseconds) const override {
        return preemptive() && level(woken) < running.key;
    }
    Nanoseconds turn_end(const SchedEntity& running) const override {
        if (!preemptive() || !aging()) return kNever;
        return running.end_of(tunables_.priority_quantum.ns());
    }

  private:
    bool preemptive() const { return tunables_.priority_preemptive.raw(); }
    int64_t aging() const { return static_cast<int64_t>(tunables_.priority_aging.ns()); }
    // Lower is better. While an entity runs, its key is the level it has reached.
    int64_t level(const SchedEntity& entity) const {
        return aging() ? entity.nice * aging() : entity.nice;
    }
    int64_t clock(Nanoseconds now) const { return aging() ? static_cast<int64_t>(now.raw()) : 0; }

    bool runs_to_completion() const override { return !preemptive(); }
    void adopted(SchedEntity& running, Nanoseconds) override { running.key = level(running); }
    void insert(SchedEntity& entity, ReadyReason reason, Nanoseconds now) override {
        const bool keeps_level = aging() && reason == ReadyReason::preempted &&
                                 !used_up(entity, tunables_.priority_quantum.ns());
        if (!keeps_level) {
            entity.key = level(entity);
            entity.turn_used = 0;
        }
        entity.key += clock(now);
        const SchedEntity* first = queue_.first();
        const bool aside = reason == ReadyReason::preempted && (keeps_level || !aging()) &&
                           (!first || first->key >= entity.key);
        if (aside) entity.sequence = 0;  // by a real-time thread: it stays first of its equals
        queue_.insert(entity);
    }
    void remove(SchedEntity& entity) override { queue_.remove(entity); }
    SchedEntity* take(Nanoseconds now) override {
        SchedEntity* first = queue_.first();
        queue_.remove(*first);
        first->key -= clock(now);
        return first;
    }

    EntityTree queue_;
};
