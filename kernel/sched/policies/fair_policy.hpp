// FairPolicy: what all policies below the real-time class have in common: the accounting around
// enqueue and pick_next, and two kinds of queue. A policy says where insert() puts an entity, which
// one take() takes, and when a turn ends.
// Invariant: an entity that a policy without preemption was running, and that a real-time thread
// pushed aside, goes on before any other.
#pragma once

#include "kernel/lib/policy_list.hpp"
#include "kernel/sched/policy.hpp"

using EntityList = List<SchedEntity, &SchedEntity::queue_node>;

struct QueueKey {
    int64_t key;
    uint64_t sequence;
    auto operator<=>(const QueueKey&) const = default;
};
constexpr QueueKey queue_key(const SchedEntity& entity) { return {entity.key, entity.sequence}; }
// Smallest key first, equal keys in queue order. O(log n).
using EntityTree = OrderedTree<SchedEntity, &SchedEntity::tree_node, queue_key>;

class FairPolicy : public SchedulingPolicy {
  public:
    struct SharedTunables {
        Tunable service_guess{.name = "service_guess_us",
                              .meaning = "a new thread's expected burst, if it declares none",
                              .least = 1,
                              .values = {10'000}};
        Tunable service_grain{.name = "service_grain_us",
                              .meaning = "service times are compared in whole multiples of this",
                              .least = 1,
                              .values = {1'000}};
    };
    SharedTunables shared;

    void enqueue(SchedEntity& entity, ReadyReason reason, Nanoseconds now) final {
        entity.stop(now);
        if (reason == ReadyReason::woken) entity.end_burst();
        settle(entity, reason);
        entity.ready_since = now;
        entity.sequence = ++sequence_;
        ++count_;
        if (reason == ReadyReason::preempted && runs_to_completion())
            interrupted_.push_back(entity);
        else
            insert(entity, reason, now);
    }
    void dequeue(SchedEntity& entity) final {
        --count_;
        if (entity.queue_node.linked())
            entity.queue_node.unlink();
        else
            remove(entity);
    }
    SchedEntity* pick_next(Nanoseconds now) final {
        if (!count_) return nullptr;
        SchedEntity* next = interrupted_.pop_front();
        if (!next) next = take(now);
        --count_;
        next->start(now);
        return next;
    }
    void adopt(SchedEntity& running, Nanoseconds now) final {
        running.stop(now);
        settle(running, ReadyReason::moved);
        running.turn_used = 0;
        running.start(now);
        adopted(running, now);
    }
    Nanoseconds turn_end(const SchedEntity&) const override { return kNever; }
    bool preempts(const SchedEntity&, const SchedEntity&, Nanoseconds) const override {
        return false;
    }
    uint32_t ready_count() const final { return count_; }

  protected:
    constexpr FairPolicy() = default;
    ~FairPolicy() = default;

    // The running thread keeps the CPU until it sleeps, however many others wait.
    virtual bool runs_to_completion() const { return false; }
    // It is new to this run queue; `known`: but comes from another one of the same policy.
    virtual void join(SchedEntity&, bool /*known*/) {}
    virtual void adopted(SchedEntity&, Nanoseconds) {}
    // Puts it into the policy's queue, for the given reason. Its `turn_used` is the CPU time that it
    // has had of its present turn: 0 gives it a whole turn again.
    virtual void insert(SchedEntity& entity, ReadyReason reason, Nanoseconds now) = 0;
    virtual void remove(SchedEntity&) {}  // policies with a tree take it out of that
    // Takes the one that runs next out of the queue. At least one is queued.
    virtual SchedEntity* take(Nanoseconds now) = 0;

    // A turn cut short by less than a sixteenth counts as used up: an arrival at the very end of a
    // quantum and the end itself are one instant, though two interrupts report them.
    static bool used_up(const SchedEntity& entity, uint64_t quantum) {
        return entity.turn_used + quantum / 16 >= quantum;
    }
    // A time in grains, to the nearest.
    int64_t in_grains(uint64_t nanoseconds) const {
        const uint64_t grain = shared.service_grain.ns();
        return static_cast<int64_t>((nanoseconds + grain / 2) / grain);
    }

  private:
    void settle(SchedEntity& entity, ReadyReason reason) {
        if (!entity.service) entity.service = entity.estimate = shared.service_guess.ns();
        entity.revise_service();
        const bool known = entity.slot_of == name().data();  // a policy's name is one constant
        if (!known || reason == ReadyReason::created || reason == ReadyReason::moved)
            join(entity, known && reason != ReadyReason::created);
        entity.slot_of = name().data();
    }

    EntityList interrupted_;
    uint64_t sequence_ = 0;
    uint32_t count_ = 0;
};
