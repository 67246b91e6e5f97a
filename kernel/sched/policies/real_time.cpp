// See real_time.hpp.
#include "kernel/sched/policies/real_time.hpp"

#include <algorithm>

void RealTimeClass::enqueue(SchedEntity& entity, ReadyReason reason, Nanoseconds now) {
    if (rank(entity) == 0) {
        if (fixed_runs_ && hungry_since_ == kNever) hungry_since_ = now;
        return fair_->enqueue(entity, reason, now);
    }
    // The limit's end ends turns, too, and takes nobody's place in a queue.
    if (fixed(entity) && reason == ReadyReason::quantum_expired && own_turn_end(entity) > now)
        reason = ReadyReason::preempted;
    entity.stop(now);
    entity.ready_since = now;
    entity.sequence = ++sequence_;
    if (fixed(entity))
        queue_fixed(entity, reason);
    else
        queue_reserved(entity, reason, now);
    entity.slot_of = nullptr;
}

// Pushed aside, it stays first of its priority; an RR entity keeps the rest of its quantum.
void RealTimeClass::queue_fixed(SchedEntity& entity, ReadyReason reason) {
    VERIFY(entity.rt_priority >= 1 && entity.rt_priority <= kMaxPriority);
    EntityList& queue = fixed_[entity.rt_priority];
    const bool round_robin = entity.sched_class == SchedClass::round_robin;
    const bool expired = round_robin && entity.turn_used >= quantum();
    if (reason == ReadyReason::preempted && !expired) {
        queue.push_front(entity);
    } else {
        entity.turn_used = 0;
        queue.push_back(entity);
    }
    nonempty_[entity.rt_priority / 32] |= 1u << entity.rt_priority % 32;
    ++fixed_count_;
}

void RealTimeClass::queue_reserved(SchedEntity& entity, ReadyReason reason, Nanoseconds now) {
    if (!entity.relative_deadline) entity.relative_deadline = entity.period;
    if (!entity.period) entity.period = entity.relative_deadline;
    VERIFY(entity.runtime && entity.runtime <= entity.relative_deadline);
    const bool yielded = reason == ReadyReason::yielded;  // done for this period
    const bool some_left = entity.budget > entity.turn_used && !yielded;
    entity.budget = some_left ? entity.budget - entity.turn_used : 0;
    entity.turn_used = 0;
    const bool is_new = reason == ReadyReason::created || reason == ReadyReason::moved;
    const Nanoseconds next_period = entity.deadline - entity.relative_deadline + entity.period;
    if (is_new || (reason == ReadyReason::woken && !fits(entity, now))) {
        if (!is_new && entity.deadline <= now && now < next_period)
            entity.budget = 0;  // between its deadline and its next period
        else
            new_reservation(entity, now, now);
    }
    if (entity.budget == 0) {
        if (next_period > now) {
            entity.throttled = true;
            entity.key = static_cast<int64_t>(next_period.raw());
            throttled_.insert(entity);
            return;
        }
        new_reservation(entity, next_period, now);
    }
    entity.key = static_cast<int64_t>(entity.deadline.raw());
    reserved_.insert(entity);
}

void RealTimeClass::new_reservation(SchedEntity& entity, Nanoseconds from, Nanoseconds now) {
    entity.budget = entity.runtime;
    entity.deadline = from + entity.relative_deadline;
    if (entity.deadline <= now) entity.deadline = now + entity.relative_deadline;
}

// What is left of the budget may be used up before the deadline without exceeding the reserved
// share: budget / (deadline - now) <= runtime / relative_deadline. An empty budget waits for its
// next period as long as its deadline is to come. In microseconds, so that products fit.
bool RealTimeClass::fits(const SchedEntity& entity, Nanoseconds now) {
    if (entity.deadline <= now) return false;
    return entity.budget / 1000 * (entity.relative_deadline / 1000) <=
           (entity.deadline - now) / 1000 * (entity.runtime / 1000);
}

void RealTimeClass::replenish(Nanoseconds now) {
    while (next_event() <= now) {
        SchedEntity& entity = *throttled_.first();
        throttled_.remove(entity);
        entity.throttled = false;
        new_reservation(entity, Nanoseconds(static_cast<uint64_t>(entity.key)), now);
        entity.ready_since = now;
        entity.key = static_cast<int64_t>(entity.deadline.raw());
        reserved_.insert(entity);
    }
}

void RealTimeClass::dequeue(SchedEntity& entity) {
    if (rank(entity) == 0) return fair_->dequeue(entity);
    if (fixed(entity)) {
        entity.queue_node.unlink();
        --fixed_count_;
        return;
    }
    (entity.throttled ? throttled_ : reserved_).remove(entity);
    entity.throttled = false;
}

uint32_t RealTimeClass::highest() const {
    for (uint32_t word = std::size(nonempty_); word-- > 0;)
        if (nonempty_[word]) return word * 32 + 31 - std::countl_zero(nonempty_[word]);
    return 0;
}

SchedEntity* RealTimeClass::pick_next(Nanoseconds now) {
    replenish(now);
    if (SchedEntity* next = reserved_.first()) {
        reserved_.remove(*next);
        next->start(now);
        return next;
    }
    if (fixed_count_)
        if (SchedEntity* next = pick_fixed(now)) return next;
    fixed_runs_ = false;
    return fair_->pick_next(now);
}

SchedEntity* RealTimeClass::pick_fixed(Nanoseconds now) {
    if (now >= limit_end()) relief_end_ = now + kRelief;
    if (in_relief(now) && fair_->ready_count()) return nullptr;
    while (const uint32_t priority = highest()) {
        if (SchedEntity* next = fixed_[priority].pop_front()) {
            --fixed_count_;
            next->start(now);
            note_fixed(now);
            return next;
        }
        nonempty_[priority / 32] &= ~(1u << priority % 32);
    }
    return nullptr;
}

// The fair class is hungry from when a fixed one takes the CPU from it.
void RealTimeClass::note_fixed(Nanoseconds now) {
    if (fair_->ready_count() == 0)
        hungry_since_ = kNever;
    else if (!fixed_runs_ || hungry_since_ == kNever)
        hungry_since_ = now;
    fixed_runs_ = true;
}

void RealTimeClass::adopt(SchedEntity& running, Nanoseconds now) {
    if (fixed(running))
        note_fixed(now);
    else
        fixed_runs_ = false;
    if (rank(running) == 0) return fair_->adopt(running, now);
    running.stop(now);
    running.turn_used = 0;
    running.slot_of = nullptr;
    if (running.sched_class == SchedClass::deadline) {
        if (!running.relative_deadline) running.relative_deadline = running.period;
        if (!running.period) running.period = running.relative_deadline;
        new_reservation(running, now, now);
    }
    running.start(now);
}

Nanoseconds RealTimeClass::turn_end(const SchedEntity& running) const {
    if (running.sched_class == SchedClass::fair) {
        const Nanoseconds end = fair_->turn_end(running);
        const bool relief = fixed_count_ && running.run_since < relief_end_;
        return relief ? std::min(end, relief_end_) : end;
    }
    const Nanoseconds end = own_turn_end(running);
    return fixed(running) ? std::min(end, limit_end()) : end;
}

Nanoseconds RealTimeClass::own_turn_end(const SchedEntity& running) const {
    switch (running.sched_class) {
        case SchedClass::fair: return fair_->turn_end(running);
        case SchedClass::fifo: return kNever;
        case SchedClass::round_robin: return running.end_of(quantum());
        case SchedClass::deadline: return running.end_of(running.budget);
    }
    return kNever;
}

bool RealTimeClass::preempts(const SchedEntity& woken, const SchedEntity& running,
                             Nanoseconds now) const {
    const uint32_t theirs = rank(woken), ours = rank(running);
    if (theirs != ours) {
        if (ours == 0 && theirs <= kMaxPriority && in_relief(now)) return false;
        return theirs > ours && !woken.throttled;
    }
    if (theirs == 0) return fair_->preempts(woken, running, now);
    if (theirs <= kMaxPriority || woken.throttled) return false;
    return woken.deadline < running.deadline;
}

bool RealTimeClass::gives_way(const SchedEntity& running, Nanoseconds now) {
    replenish(now);
    if (const SchedEntity* first = reserved_.first()) return preempts(*first, running, now);
    if (rank(running) == 0 && in_relief(now)) return false;
    while (const uint32_t priority = highest()) {
        if (!fixed_[priority].empty()) return priority > rank(running);
        nonempty_[priority / 32] &= ~(1u << priority % 32);
    }
    return false;
}
