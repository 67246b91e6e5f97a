// The real-time class above any fair policy. SCHED_DEADLINE first, by earliest absolute deadline;
// then SCHED_FIFO and SCHED_RR by priority, 99 down to 1; then what the fair policy picks.
//
// A deadline entity has a reservation: `runtime` of CPU within `relative_deadline`, once a
// `period`. If it has used that up it is throttled until its next period, so that it can't disturb
// others' reservations; if it wakes with more left than fits before its old deadline, it gets a new
// one (the wake-up rule of the constant bandwidth server).
// So that a real-time thread that never blocks doesn't take the machine away: if ordinary ones have
// been ready for `realtime_limit` without a turn, they get kRelief before the fixed priorities.
// Throttled entities are queued but not counted as ready; next_event() says when they will be.
// FIFO and RR O(1); deadlines O(log n); requeue() and set_fair() O(n log n) at most.
// Spec: POSIX.1-2017 2.8.4; Abeni, Buttazzo, Integrating multimedia applications in hard real-time
// systems (1998); sched(7).
#pragma once

#include <bit>

#include "kernel/sched/policies/fair_policy.hpp"

class RealTimeClass final : public SchedulingPolicy {
  public:
    static constexpr uint32_t kMaxPriority = 99;

    struct Tunables {
        Tunable quantum{.name = "realtime_quantum_us",
                        .meaning = "SCHED_RR: length of a turn",
                        .least = 100,
                        .values = {100'000}};
        Tunable limit{.name = "realtime_limit_us",
                      .meaning =
                          "how long SCHED_FIFO and SCHED_RR may keep ordinary threads from the "
                          "CPU; 0 for ever",
                      .values = {950'000}};
    } tunables;

    explicit constexpr RealTimeClass(SchedulingPolicy& fair) : fair_(&fair) {}

    SchedulingPolicy& fair() const { return *fair_; }
    std::string_view name() const override { return fair_->name(); }

    // All that are ready change over, in the order in which they would have run. The dispatcher
    // then has those that run on its CPUs adopt()ed.
    void set_fair(SchedulingPolicy& next, Nanoseconds now) {
        EntityList all;
        while (SchedEntity* entity = fair_->pick_next(now)) {
            entity->stop(now);
            all.push_back(*entity);
        }
        fair_ = &next;
        while (SchedEntity* entity = all.pop_front())
            fair_->enqueue(*entity, ReadyReason::moved, now);
    }
    // After a change of tunables.
    void requeue(Nanoseconds now) { set_fair(*fair_, now); }

    void enqueue(SchedEntity& entity, ReadyReason reason, Nanoseconds now) override;
    void dequeue(SchedEntity& entity) override;
    SchedEntity* pick_next(Nanoseconds now) override;
    void adopt(SchedEntity& running, Nanoseconds now) override;
    Nanoseconds turn_end(const SchedEntity& running) const override;
    bool preempts(const SchedEntity& woken, const SchedEntity& running,
                  Nanoseconds now) const override;
    uint32_t ready_count() const override {
        return fixed_count_ + reserved_.size() + fair_->ready_count();
    }
    Nanoseconds next_event() const override {
        return throttled_.empty() ? kNever
                                  : Nanoseconds(static_cast<uint64_t>(throttled_.first()->key));
    }
    bool gives_way(const SchedEntity& running, Nanoseconds now) override;
    // When the running one's turn ends by its own policy, with any others waiting.
    Nanoseconds own_turn_end(const SchedEntity& running) const;
    // Queueing `waiting` may bring turn_end(running) nearer.
    static bool limits(const SchedEntity& waiting, const SchedEntity& running) {
        return fixed(running) && rank(waiting) == 0;
    }

  private:
    static bool fixed(const SchedEntity& entity) {
        return entity.sched_class == SchedClass::fifo ||
               entity.sched_class == SchedClass::round_robin;
    }
    // Fair 0, fixed priority 1 .. 99, deadline 100.
    static uint32_t rank(const SchedEntity& entity) {
        if (entity.sched_class == SchedClass::fair) return 0;
        if (entity.sched_class == SchedClass::deadline) return kMaxPriority + 1;
        return entity.rt_priority;
    }
    uint64_t quantum() const { return tunables.quantum.ns(); }
    uint32_t highest() const;  // priority of the first one in a fixed-priority queue, or 0
    SchedEntity* pick_fixed(Nanoseconds now);
    void note_fixed(Nanoseconds now);
    void queue_fixed(SchedEntity& entity, ReadyReason reason);
    void queue_reserved(SchedEntity& entity, ReadyReason reason, Nanoseconds now);
    static void new_reservation(SchedEntity& entity, Nanoseconds from, Nanoseconds now);
    static bool fits(const SchedEntity& entity, Nanoseconds now);
    void replenish(Nanoseconds now);

    static constexpr uint64_t kRelief = 50'000'000;  // nanoseconds
    // Fixed priorities have to give way to the fair class from then on.
    Nanoseconds limit_end() const {
        const uint64_t limit = tunables.limit.ns();
        return limit && fixed_runs_ && hungry_since_ != kNever ? hungry_since_ + limit : kNever;
    }
    bool in_relief(Nanoseconds now) const { return now < relief_end_; }

    SchedulingPolicy* fair_;
    bool fixed_runs_ = false;            // has been picked last
    Nanoseconds hungry_since_ = kNever;  // if so, since when the fair class has been ready
    Nanoseconds relief_end_{0};
    EntityList fixed_[kMaxPriority + 1];
    uint32_t nonempty_[kMaxPriority / 32 + 1] = {};  // may say so of a queue that has become empty
    uint32_t fixed_count_ = 0;
    EntityTree reserved_;   // by absolute deadline
    EntityTree throttled_;  // by the time of the next period
    uint64_t sequence_ = 0;
};
