// Round robin: a queue in order of readiness; whoever runs for a whole quantum goes to its end.
// Preempted and woken threads queue at the end too. O(1) throughout.
#pragma once

#include "kernel/sched/policy.hpp"

class RoundRobin final : public SchedulingPolicy {
  public:
    explicit constexpr RoundRobin(uint32_t quantum_ticks) : quantum_ticks_(quantum_ticks) {}

    std::string_view name() const override { return "rr"; }
    void enqueue(SchedEntity& entity, ReadyReason, Nanoseconds) override {
        queue_.push_back(entity);
        ++count_;
    }
    void dequeue(SchedEntity& entity) override {
        entity.queue_node.unlink();
        --count_;
    }
    SchedEntity* pick_next(Nanoseconds) override {
        SchedEntity* next = queue_.pop_front();
        if (!next) return nullptr;
        --count_;
        next->quantum_used = 0;
        return next;
    }
    bool on_tick(SchedEntity& running, Nanoseconds) override {
        return ++running.quantum_used >= quantum_ticks_ && !queue_.empty();
    }
    bool preempts(const SchedEntity&, const SchedEntity&) const override { return false; }
    uint32_t ready_count() const override { return count_; }

  private:
    List<SchedEntity, &SchedEntity::queue_node> queue_;
    uint32_t quantum_ticks_;
    uint32_t count_ = 0;
};
