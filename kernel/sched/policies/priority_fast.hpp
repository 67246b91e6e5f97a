// Priority with a tree for the queue: the same choices as `priority`, in O(log n). All who wait gain
// alike, so their order is fixed when they are queued: by (time of queueing + level).
#pragma once

#include "kernel/sched/policies/priority.hpp"

class PriorityFast : public Priority {
  public:
    static constexpr std::string_view kName = "priority_fast";

  protected:
    void insert(SchedEntity& entity, ReadyReason reason, Nanoseconds now) override {
        const bool keeps = keeps_level(entity, reason);
        if (!keeps) place(entity);
        entity.key = entity.slot.as<Standing>().level + clock(now);
        const SchedEntity* best = queue_.first();
        const bool none_better = !best || best->key >= entity.key;
        if (reason == ReadyReason::preempted && (keeps || !aging()) && none_better)
            entity.sequence = 0;  // first of its equals
        queue_.insert(entity);
    }
    void remove(SchedEntity& entity) override { queue_.remove(entity); }
    SchedEntity* take(Nanoseconds now) override {
        SchedEntity* best = queue_.first();
        queue_.remove(*best);
        best->slot.as<Standing>().level = best->key - clock(now);
        return best;
    }

  private:
    int64_t clock(Nanoseconds now) const { return aging() ? static_cast<int64_t>(now.raw()) : 0; }

    EntityTree queue_;
};
