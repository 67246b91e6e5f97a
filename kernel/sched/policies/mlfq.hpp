// Multilevel feedback queue. A new entity starts in the highest level; a quantum used up moves it
// to the tail of the next one; a preempted one goes back to the tail of its own level and gets a
// fresh quantum there; when both happen at one instant the quantum counts as used up. One that a
// real-time thread pushed aside stays first of its level, with the rest of its quantum. The lowest
// level is round robin. Sleeping and yielding neither raise it nor renew its quantum, so that
// giving up the CPU just before the end gains nothing; every mlfq_boost all start anew on top.
// A boost joins the levels' queues and leaves the entities alone: one whose count of boosts is old
// is in the highest level, whatever it says. Every operation O(1) in the number of entities.
#pragma once

#include <algorithm>

#include "kernel/sched/policies/fair_policy.hpp"

class Mlfq final : public FairPolicy {
  public:
    explicit constexpr Mlfq(const SchedTunables& tunables) : FairPolicy(tunables) {}
    std::string_view name() const override { return "mlfq"; }
    Nanoseconds turn_end(const SchedEntity& running) const override {
        return running.end_of(quantum(std::min(running.level, lowest())));  // as it was picked
    }
    bool preempts(const SchedEntity& woken, const SchedEntity& running,
                  Nanoseconds) const override {
        return level(woken) < level(running);
    }

  private:
    static constexpr uint32_t kLevels = SchedTunables::kMaxValues;

    uint32_t lowest() const { return tunables_.mlfq_quanta.count - 1; }
    uint32_t level(const SchedEntity& entity) const {
        if (entity.boosts != boosts_) return 0;
        return entity.level < lowest() ? entity.level : lowest();
    }
    uint64_t quantum(uint32_t level) const { return tunables_.mlfq_quanta.ns(level); }

    void place(SchedEntity& entity, uint32_t level) {
        entity.level = level;
        entity.boosts = boosts_;
    }
    void join(SchedEntity& entity, bool known) override {
        place(entity, known ? entity.level : 0);
        entity.turn_used = 0;
    }
    void insert(SchedEntity& entity, ReadyReason reason, Nanoseconds now) override {
        boost(now);
        const uint32_t at = level(entity);
        const bool boosted = entity.boosts != boosts_;
        const bool over = boosted || used_up(entity, quantum(at));
        const bool down = over && !boosted && at < lowest();
        place(entity, at + down);
        if (reason == ReadyReason::preempted && !over && !ready_above(at))
            return levels_[at].push_front(entity);
        if (over || reason == ReadyReason::preempted) entity.turn_used = 0;
        levels_[at + down].push_back(entity);
    }
    bool ready_above(uint32_t level) const {
        for (uint32_t i = 0; i < level; ++i)
            if (!levels_[i].empty()) return true;
        return false;
    }
    SchedEntity* take(Nanoseconds now) override {
        boost(now);
        for (EntityList& queue : levels_) {
            SchedEntity* next = queue.pop_front();
            if (!next) continue;
            if (next->boosts != boosts_) next->turn_used = 0;
            place(*next, level(*next));
            return next;
        }
        return nullptr;
    }
    void boost(Nanoseconds now) {
        const uint64_t interval = tunables_.mlfq_boost.ns();
        if (!interval || now - last_boost_ < interval) return;
        last_boost_ = Nanoseconds(now.raw() - (now - last_boost_) % interval);
        ++boosts_;
        for (uint32_t i = 1; i < kLevels; ++i) levels_[0].splice_back(levels_[i]);
    }

    EntityList levels_[kLevels];
    uint32_t boosts_ = 0;
    Nanoseconds last_boost_{0};
};
