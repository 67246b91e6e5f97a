// Highest response ratio next, without preemption: the ratio (waited + service) / service of a job
// that waits grows, of a short one faster. So short jobs go first, and long ones do not starve.
// The ratios are computed anew for every choice, which is O(n); hrrn_fast does it in O(log^2 n).
#pragma once

#include <algorithm>

#include "kernel/sched/policies/fair_policy.hpp"

class Hrrn : public FairPolicy {
  public:
    static constexpr std::string_view kName = "hrrn";

  protected:
    bool runs_to_completion() const override { return true; }
    void insert(SchedEntity& entity, ReadyReason, Nanoseconds) override {
        queue_.push_back(entity);
    }
    // The one with the highest ratio; of equal ones, the one that was queued first.
    // Lab 5.4: stub { return queue_.pop_front(); }
    SchedEntity* take(Nanoseconds now) override {
        SchedEntity* best = nullptr;
        for (SchedEntity& entity : queue_)
            if (!best || higher_ratio(entity, *best, now)) best = &entity;
        queue_.remove(*best);
        return best;
    }

  private:
    // Is the response ratio of `a` higher at `now`?
    // Lab 5.4: stub { return a.sequence < b.sequence; }
    bool higher_ratio(const SchedEntity& a, const SchedEntity& b, Nanoseconds now) const {
        // The ratio is 1 + waited / service; products are compared, as a quotient would be rounded.
        return waited(a, now) * service(b, now) > waited(b, now) * service(a, now);
    }
    // In grains, and no more than 2^31 of them, so that a product fits.
    int64_t waited(const SchedEntity& entity, Nanoseconds now) const {
        return std::min(in_grains(now.raw()) - in_grains(entity.ready_since.raw()), kMost);
    }
    int64_t service(const SchedEntity& entity, Nanoseconds now) const {
        return std::clamp(in_grains(entity.service_left(now)), int64_t{1}, kMost);
    }
    static constexpr int64_t kMost = int64_t{1} << 31;

    EntityList queue_;
};
