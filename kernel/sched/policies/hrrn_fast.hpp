// Highest response ratio next, with the same choices as `hrrn`, but without looking at all that wait.
//
// The queue is a kinetic tournament: a balanced tree in queue order whose every node holds the
// winner among its subtree, and until when that is certain: the earliest time at which one of the
// comparisons behind it turns around. Two ratios cross at most once, and only the steeper one
// overtakes. A look at the root repairs just those subtrees whose certainty is over.
// Insertion and removal O(log n); repair O(log^2 n) amortised.
// Times are whole grains (at least a microsecond), so that products fit 64 bits: waits are counted,
// and services up to kMost.
// Spec: Agarwal, Guibas, Hershberger, Veach, Maintaining the extent of a moving point set (1997).
#pragma once

#include <algorithm>

#include "kernel/sched/policies/fair_policy.hpp"

class HrrnFast : public FairPolicy {
  public:
    static constexpr std::string_view kName = "hrrn_fast";

  private:
    static constexpr uint64_t kMost = 1ull << 31;
    struct Ratio {
        uint64_t start = 0, service = 1, as_of = 0, until = 0;
        SchedEntity* best = nullptr;
        bool operator==(const Ratio&) const = default;
    };
    static Ratio& ratio_of(SchedEntity& entity) { return entity.slot.as<Ratio>(); }
    static const Ratio& ratio_of(const SchedEntity& entity) { return entity.slot.as<Ratio>(); }
    static constexpr uint64_t sequence_of(const SchedEntity& entity) { return entity.sequence; }

    bool runs_to_completion() const override { return true; }

    void insert(SchedEntity& entity, ReadyReason, Nanoseconds now) override {
        if (queue_.empty()) grain_ = shared.service_grain.ns();
        const uint64_t service = (entity.service_left(now) + grain_ / 2) / grain_;
        Ratio& ratio = entity.slot.emplace<Ratio>();
        ratio.start = ratio.as_of = grains(now);
        ratio.service = std::clamp(service, uint64_t{1}, kMost);
        queue_.insert(entity);
    }
    void remove(SchedEntity& entity) override { queue_.remove(entity); }
    SchedEntity* take(Nanoseconds now) override {
        repair(queue_.root(), grains(now));
        SchedEntity* best = ratio_of(*queue_.root()).best;
        queue_.remove(*best);
        return best;
    }

    uint64_t grains(Nanoseconds time) const { return (time.raw() + grain_ / 2) / grain_; }

    static uint64_t waited(const SchedEntity& entity, uint64_t at) {
        const uint64_t start = ratio_of(entity).start;
        return at > start ? std::min(at - start, kMost) : 0;
    }

    // `node` wins over its children's winners, or one of them does, as of the latest time that is
    // known of any. A child that was certain for less long makes the result uncertain at once.
    static bool decide(SchedEntity& node, SchedEntity* low, SchedEntity* high) {
        Ratio& ratio = ratio_of(node);
        const Ratio before = ratio;
        ratio.best = &node;
        ratio.until = kNever.raw();
        for (SchedEntity* child : {low, high})
            if (child && ratio_of(*child).as_of > ratio.as_of) ratio.as_of = ratio_of(*child).as_of;
        for (SchedEntity* child : {low, high}) {
            if (!child) continue;
            if (ratio_of(*child).until < ratio.until) ratio.until = ratio_of(*child).until;
            play(ratio, *ratio_of(*child).best);
        }
        return ratio != before;
    }

    // The winner so far against `rival`.
    static void play(Ratio& ratio, SchedEntity& rival) {
        SchedEntity* winner = ratio.best;
        SchedEntity* loser = &rival;
        uint64_t ahead = waited(*winner, ratio.as_of) * ratio_of(*loser).service;
        uint64_t behind = waited(*loser, ratio.as_of) * ratio_of(*winner).service;
        if (behind > ahead || (behind == ahead && loser->sequence < winner->sequence)) {
            std::swap(winner, loser);
            std::swap(ahead, behind);
        }
        ratio.best = winner;
        if (ratio_of(*loser).service >= ratio_of(*winner).service) return;
        // After d grains: ahead + d * loser's service against behind + d * winner's service.
        const uint64_t gap = ahead - behind;
        const uint64_t closing = ratio_of(*winner).service - ratio_of(*loser).service;
        const bool wins_ties = loser->sequence < winner->sequence;
        const uint64_t crossing = gap / closing + (wins_ties ? gap % closing != 0 : 1);
        if (ratio.as_of + crossing < ratio.until) ratio.until = ratio.as_of + crossing;
    }

    // As deep as the tree is high.
    static void repair(SchedEntity* node, uint64_t at) {
        if (!node || ratio_of(*node).until > at) return;
        SchedEntity* low = Tournament::smaller_child(*node);
        SchedEntity* high = Tournament::larger_child(*node);
        repair(low, at);
        repair(high, at);
        ratio_of(*node).as_of = at;
        decide(*node, low, high);
    }

    using Tournament = OrderedTree<SchedEntity, &SchedEntity::tree_node, sequence_of, decide>;
    Tournament queue_;
    uint64_t grain_ = 1000;
};
