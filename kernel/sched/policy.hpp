// SchedulingPolicy: who runs next. Pure: no lock, no clock, no allocation; time comes as an
// argument, and the run queue (scheduler.cpp) holds one instance behind its lock. The same classes
// are compiled into host tests and simulators.
#pragma once

#include <string_view>

#include "kernel/lib/list.hpp"
#include "kernel/lib/types.hpp"

// What a policy knows of a thread. Policies keep their own figures in it.
struct SchedEntity {
    ListNode queue_node;
    int nice = 0;                  // -20 .. 19
    uint32_t quantum_used = 0;     // ticks of the current quantum
    uint64_t cpu_time = 0;         // nanoseconds run so far
    void* owner = nullptr;         // the Thread; policies don't look at it
};

// Why an entity becomes ready: where in a queue it goes may depend on it.
enum class ReadyReason : uint8_t { created, woken, preempted, quantum_expired, yielded };

class SchedulingPolicy {
  public:
    virtual std::string_view name() const = 0;
    virtual void enqueue(SchedEntity& entity, ReadyReason reason, Nanoseconds now) = 0;
    virtual void dequeue(SchedEntity& entity) = 0;               // it was enqueued
    virtual SchedEntity* pick_next(Nanoseconds now) = 0;         // removes it; null if none is ready
    virtual bool on_tick(SchedEntity& running, Nanoseconds now) = 0;  // true: its turn is over
    virtual bool preempts(const SchedEntity& woken, const SchedEntity& running) const = 0;
    virtual uint32_t ready_count() const = 0;

  protected:
    ~SchedulingPolicy() = default;
};
