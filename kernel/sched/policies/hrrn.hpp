// Highest response ratio next, without preemption: the ratio (waited + service) / service of a job
// that waits grows, of a short one faster, so that the order of the queue changes with time.
//
// The queue is a kinetic tournament: a balanced tree in queue order whose every node holds the
// winner among its subtree, and until when that is certain: the earliest time at which one of the
// comparisons behind it turns around. Two ratios cross at most once, and only the steeper one
// overtakes. A look at the root repairs just those subtrees whose certainty is over.
// Insertion and removal O(log n); repair O(log^2 n) amortised.
// Times are whole grains (at least a microsecond), so that products fit 64 bits: waits are counted
// up to kMaxWait, services up to kMaxService.
// Spec: Agarwal, Guibas, Hershberger, Veach, Maintaining the extent of a moving point set (1997).
#pragma once

#include "kernel/sched/policies/fair_policy.hpp"

class Hrrn final : public FairPolicy {
  public:
    explicit constexpr Hrrn(const SchedTunables& tunables) : FairPolicy(tunables) {}
    std::string_view name() const override { return "hrrn"; }

  private:
    static constexpr uint64_t kMaxService = 1ull << 29, kMaxWait = 1ull << 34;
    static constexpr uint64_t sequence_of(const SchedEntity& entity) { return entity.sequence; }

    bool runs_to_completion() const override { return true; }

    void insert(SchedEntity& entity, ReadyReason, Nanoseconds now) override {
        if (queue_.empty()) grain_ = tunables_.service_grain.ns();
        const uint64_t service = (entity.service_left(now) + grain_ / 2) / grain_;
        entity.ratio.start = entity.ratio.as_of = grains(now);
        entity.ratio.service = service == 0 ? 1 : service < kMaxService ? service : kMaxService;
        queue_.insert(entity);
    }
    void remove(SchedEntity& entity) override { queue_.remove(entity); }
    SchedEntity* take(Nanoseconds now) override {
        repair(queue_.root(), grains(now));
        SchedEntity* best = queue_.root()->ratio.best;
        queue_.remove(*best);
        return best;
    }

    uint64_t grains(Nanoseconds time) const { return (time.raw() + grain_ / 2) / grain_; }

    static uint64_t waited(const SchedEntity& entity, uint64_t at) {
        const uint64_t wait = at > entity.ratio.start ? at - entity.ratio.start : 0;
        return wait < kMaxWait ? wait : kMaxWait;
    }

    // `node` wins over its children's winners, or one of them does, as of the latest time that is
    // known of any. A child that was certain for less long makes the result uncertain at once.
    static bool decide(SchedEntity& node, SchedEntity* low, SchedEntity* high) {
        SchedEntity::Ratio& ratio = node.ratio;
        const SchedEntity::Ratio before = ratio;
        ratio.best = &node;
        ratio.until = kNever.raw();
        for (SchedEntity* child : {low, high})
            if (child && child->ratio.as_of > ratio.as_of) ratio.as_of = child->ratio.as_of;
        for (SchedEntity* child : {low, high}) {
            if (!child) continue;
            if (child->ratio.until < ratio.until) ratio.until = child->ratio.until;
            play(ratio, *child->ratio.best);
        }
        return ratio != before;
    }

    // The winner so far against `rival`.
    static void play(SchedEntity::Ratio& ratio, SchedEntity& rival) {
        SchedEntity* winner = ratio.best;
        SchedEntity* loser = &rival;
        uint64_t ahead = waited(*winner, ratio.as_of) * loser->ratio.service;
        uint64_t behind = waited(*loser, ratio.as_of) * winner->ratio.service;
        if (behind > ahead || (behind == ahead && loser->sequence < winner->sequence)) {
            std::swap(winner, loser);
            std::swap(ahead, behind);
        }
        ratio.best = winner;
        if (loser->ratio.service >= winner->ratio.service) return;
        // After d grains: ahead + d * loser's service against behind + d * winner's service.
        const uint64_t gap = ahead - behind;
        const uint64_t closing = winner->ratio.service - loser->ratio.service;
        const bool wins_ties = loser->sequence < winner->sequence;
        const uint64_t crossing = gap / closing + (wins_ties ? gap % closing != 0 : 1);
        if (ratio.as_of + crossing < ratio.until) ratio.until = ratio.as_of + crossing;
    }

    // As deep as the tree is high.
    static void repair(SchedEntity* node, uint64_t at) {
        if (!node || node->ratio.until > at) return;
        SchedEntity* low = Tournament::smaller_child(*node);
        SchedEntity* high = Tournament::larger_child(*node);
        repair(low, at);
        repair(high, at);
        node->ratio.as_of = at;
        decide(*node, low, high);
    }

    using Tournament = OrderedTree<SchedEntity, &SchedEntity::tree_node, sequence_of, decide>;
    Tournament queue_;
    uint64_t grain_ = 1000;
};
