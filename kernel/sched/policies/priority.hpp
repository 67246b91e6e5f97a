// Priority: the nice value, lowest first; preemptive or not, with ageing or without.
// With ageing, every priority_aging of waiting counts as one level, without steps and without end: an
// entity that waits long enough passes any other. One that is picked keeps the level that it had
// reached; if preemptive, for one priority_quantum, after which it stands in line again with its own.
// Without that, it would lose the CPU at once.
// Levels are computed anew for every choice, which is O(n); priority_fast does it in O(log n).
#pragma once

#include "kernel/sched/policies/fair_policy.hpp"

class Priority : public FairPolicy {
  public:
    static constexpr std::string_view kName = "priority";
    struct Tunables {
        Tunable preemptive{.name = "priority_preemptive",
                           .meaning = "1 if a higher priority takes the CPU at once",
                           .most = 1};
        Tunable aging{.name = "priority_aging_us",
                      .meaning = "waiting that counts as one level; 0 for none"};
        Tunable quantum{.name = "priority_quantum_us",
                        .meaning = "how long an aged level lasts, if preemptive",
                        .least = 100,
                        .values = {20'000}};
    } tunables;

    // Does `woken`, just queued, take the CPU from `running`? Not if it is an equal.
    // Lab 5.6: stub { return false; }
    bool preempts(const SchedEntity& woken, const SchedEntity& running,
                  Nanoseconds) const override {
        return preemptive() && own_level(woken) < running.slot.as<Standing>().level;
    }
    Nanoseconds turn_end(const SchedEntity& running) const override {
        if (!preemptive() || !aging()) return kNever;
        return running.end_of(tunables.quantum.ns());
    }

  protected:
    struct Standing {
        int64_t level = 0;  // when it was queued; while it runs: when it was picked
    };
    bool preemptive() const { return tunables.preemptive.value(); }
    int64_t aging() const { return static_cast<int64_t>(tunables.aging.ns()); }
    // Lower is better. With ageing, a level is so many nanoseconds of waiting.
    // Lab 5.6: stub { return 0; }
    int64_t own_level(const SchedEntity& entity) const {
        return aging() ? entity.nice * aging() : entity.nice;
    }
    // The level that it has reached at `now` by waiting.
    // Lab 5.6: stub { return 0; }
    int64_t level(const SchedEntity& entity, Nanoseconds now) const {
        const int64_t waited = static_cast<int64_t>(now - entity.ready_since);
        return entity.slot.as<Standing>().level - (aging() ? waited : 0);
    }
    bool keeps_level(const SchedEntity& entity, ReadyReason reason) const {
        return aging() && reason == ReadyReason::preempted &&
               !used_up(entity, tunables.quantum.ns());
    }
    void place(SchedEntity& entity) {
        entity.slot.emplace<Standing>().level = own_level(entity);
        entity.turn_used = 0;
    }

    bool runs_to_completion() const override { return !preemptive(); }
    void join(SchedEntity& entity, bool) override { place(entity); }
    void adopted(SchedEntity& running, Nanoseconds) override {
        running.slot.as<Standing>().level = own_level(running);
    }
    void insert(SchedEntity& entity, ReadyReason reason, Nanoseconds now) override {
        const bool keeps = keeps_level(entity, reason);
        if (!keeps) place(entity);
        const SchedEntity* best = best_of(now);
        const bool none_better = !best || level(*best, now) >= level(entity, now);
        if (reason == ReadyReason::preempted && (keeps || !aging()) && none_better)
            queue_.push_front(entity);  // by a real-time thread: it stays first of its equals
        else
            queue_.push_back(entity);
    }
    // The one with the best level; of equal ones, the first of the queue.
    SchedEntity* take(Nanoseconds now) override {
        SchedEntity* best = best_of(now);
        queue_.remove(*best);
        best->slot.as<Standing>().level = level(*best, now);
        return best;
    }

  private:
    // The one with the best level; of equal ones, the first of the queue. Null: nobody waits.
    // Lab 5.6: stub { return queue_.empty() ? nullptr : &*queue_.begin(); }
    SchedEntity* best_of(Nanoseconds now) {
        SchedEntity* best = nullptr;
        for (SchedEntity& entity : queue_)
            if (!best || level(entity, now) < level(*best, now)) best = &entity;
        return best;
    }

    EntityList queue_;
};
