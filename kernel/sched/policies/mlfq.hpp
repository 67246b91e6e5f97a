// Multilevel feedback queue. A new entity starts in the highest level, and runs for that level's
// quantum at most; each quantum that it uses up moves it to the tail of the next level. The highest
// level that is not empty runs. The lowest is round robin.
// Sleeping and yielding neither raise an entity nor renew its quantum, so that giving up the CPU just
// before the end gains nothing. One that is preempted gets a fresh quantum in its own level. Every
// mlfq_boost all start anew in the highest level, so that nobody starves.
// O(1) in the number of entities, but for the boost.
#pragma once

#include <algorithm>

#include "kernel/sched/policies/fair_policy.hpp"

class Mlfq : public FairPolicy {
  public:
    static constexpr std::string_view kName = "mlfq";
    static constexpr uint32_t kLevels = Tunable::kMostValues;
    struct Tunables {
        Tunable quanta{.name = "mlfq_quanta_us",
                       .meaning = "one quantum a level, highest first",
                       .least = 100,
                       .max_count = kLevels,
                       .count = 3,
                       .values = {10'000, 20'000, 40'000}};
        Tunable boost{.name = "mlfq_boost_us",
                      .meaning = "how often all return to the highest level; 0 for never",
                      .values = {1'000'000}};
    } tunables;

    // When its turn is over, if it runs until then: each level has a quantum.
    // Lab 5.7: stub { return kNever; }
    Nanoseconds turn_end(const SchedEntity& running) const override {
        return running.end_of(quantum(running.slot.as<Place>().level));
    }
    // Does `woken`, just queued, take the CPU from `running`? Not within one level.
    // Lab 5.7: stub { return false; }
    bool preempts(const SchedEntity& woken, const SchedEntity& running,
                  Nanoseconds) const override {
        return level(woken) < level(running);
    }

  protected:
    void join(SchedEntity& entity, bool known) override {
        const uint32_t before = known ? entity.slot.as<Place>().level : 0;
        entity.slot.emplace<Place>() = {before, boosts_};
        entity.turn_used = 0;
    }
    // Puts it into the queue of its level; a level lower if it has used up its turn.
    // Lab 5.7: stub { levels_[0].push_back(entity); }
    void insert(SchedEntity& entity, ReadyReason reason, Nanoseconds now) override {
        boost_if_due(now);
        if (boosted(entity)) {
            start_anew(entity);
            return levels_[0].push_back(entity);
        }
        uint32_t& at = entity.slot.as<Place>().level;
        at = std::min(at, lowest());
        const bool over = used_up(entity, quantum(at));
        if (reason == ReadyReason::preempted && !over && !ready_above(at))
            return levels_[at].push_front(entity);  // by a real-time thread: it goes on later
        if (over && at < lowest()) ++at;
        if (over || reason == ReadyReason::preempted) entity.turn_used = 0;
        levels_[at].push_back(entity);
    }
    // The first of the highest level that is not empty.
    // Lab 5.7: stub { return levels_[0].pop_front(); }
    SchedEntity* take(Nanoseconds now) override {
        boost_if_due(now);
        for (EntityList& queue : levels_)
            if (SchedEntity* next = queue.pop_front()) return next;
        return nullptr;
    }

  private:
    struct Place {
        uint32_t level = 0;
        uint32_t boosts = 0;  // how many there had been when it got there
    };

    uint32_t lowest() const { return tunables.quanta.count - 1; }
    uint64_t quantum(uint32_t level) const { return tunables.quanta.ns(std::min(level, lowest())); }
    bool boosted(const SchedEntity& entity) const {
        return entity.slot.as<Place>().boosts != boosts_;
    }
    uint32_t level(const SchedEntity& entity) const {
        return boosted(entity) ? 0 : std::min(entity.slot.as<Place>().level, lowest());
    }
    bool ready_above(uint32_t level) const {
        for (uint32_t i = 0; i < level; ++i)
            if (!levels_[i].empty()) return true;
        return false;
    }
    void start_anew(SchedEntity& entity) {
        entity.slot.as<Place>() = {0, boosts_};
        entity.turn_used = 0;
    }
    // Those that sleep or run find out by the count of boosts when they are queued again.
    void boost_if_due(Nanoseconds now) {
        const uint64_t interval = tunables.boost.ns();
        if (!interval || now - last_boost_ < interval) return;
        last_boost_ = Nanoseconds(now.raw() - (now - last_boost_) % interval);
        ++boosts_;
        for (uint32_t i = 1; i < kLevels; ++i) levels_[0].splice_back(levels_[i]);
        for (SchedEntity& entity : levels_[0]) start_anew(entity);
    }

    EntityList levels_[kLevels];
    uint32_t boosts_ = 0;
    Nanoseconds last_boost_{0};
};
