// SchedulingPolicy: who runs next. Pure: no lock, no clock, no allocation; time comes as an
// argument, and the run queue (scheduler.cpp) holds one instance behind its lock. The same classes
// are compiled into host tests and simulators.
//
// The dispatcher's duties:
//   - a thread that leaves the CPU to sleep or to end is told entity.stop(now); one that leaves it but
//     stays ready is enqueued again. Threads woken at the same instant are enqueued before it.
//   - after pick_next() it arms a one-shot timer for turn_end(running) and another for
//     next_event(), if they are not kNever. At turn_end the running entity is enqueued again
//     (quantum_expired) even if no other is ready: it may be picked at once, for a new turn.
//   - after enqueue() of one that was created, woken or moved, preempts() says whether the running
//     entity has to give way (preempted). At next_event(), gives_way() says the same.
#pragma once

#include <string_view>

#include "kernel/sched/sched_entity.hpp"

// Why an entity becomes ready. `moved`: it comes from another run queue or policy. `yielded` also
// stands for being queued again after a change of its nice value or declared service.
enum class ReadyReason : uint8_t { created, woken, preempted, quantum_expired, yielded, moved };

class SchedulingPolicy {
  public:
    virtual std::string_view name() const = 0;
    virtual void enqueue(SchedEntity& entity, ReadyReason reason, Nanoseconds now) = 0;
    virtual void dequeue(SchedEntity& entity) = 0;  // it was enqueued
    // Removes one and starts its turn; null if none may run now.
    virtual SchedEntity* pick_next(Nanoseconds now) = 0;
    // An entity that runs already comes under this policy, or changed its class: a new turn.
    virtual void adopt(SchedEntity& running, Nanoseconds now) = 0;
    virtual Nanoseconds turn_end(const SchedEntity& running) const = 0;
    virtual bool preempts(const SchedEntity& woken, const SchedEntity& running,
                          Nanoseconds now) const = 0;
    virtual uint32_t ready_count() const = 0;  // how many could be picked

    // When one that waits will be ready by the clock alone.
    virtual Nanoseconds next_event() const { return kNever; }
    virtual bool gives_way(const SchedEntity&, Nanoseconds) { return false; }

  protected:
    ~SchedulingPolicy() = default;
};
