// What the files of the dispatcher share, and no other file includes: each CPU's run queue (a real-time
// class above the chosen policy), the one lock of them all, and the one place where states change.
// Locks: run_queue (a plain SpinLock used with interrupts off, because a context switch hands it
// from one thread to the next: so a CPU that takes a thread off a queue finds its registers saved).
#pragma once

#include "kernel/arch/cpu.hpp"
#include "kernel/sched/clock.hpp"
#include "kernel/sched/policies/real_time.hpp"
#include "kernel/sched/scheduler.hpp"
#include "kernel/sched/thread.hpp"
#include "kernel/sync/spin_lock.hpp"

extern SpinLock run_queue_lock;
#define QUEUES_HELD REQUIRES(run_queue_lock)

struct CpuQueue {
    CpuQueue(Cpu& owner, struct Schedulers& policies);  // with the policy and the tunables of all
    static CpuQueue* make(Cpu& owner);                  // null: no memory
    Cpu& cpu;
    struct Schedulers& policies;
    // The threads that are ready here, and, with several CPUs, a list of them.
    RealTimeClass run GUARDED_BY(run_queue_lock);
    List<Thread, &Thread::ready_node> ready GUARDED_BY(run_queue_lock);
    uint64_t user_ticks = 0, kernel_ticks = 0, idle_ticks = 0, context_switches = 0;
    uint32_t vain_yields = 0;  // that found no other thread

    bool idles() const QUEUES_HELD {
        return cpu.current == cpu.idle && !cpu.reschedule && !run.ready_count();
    }
};
extern uint32_t policy_index;                 // of the policy that all queues have
extern SchedulerStatistics sched_statistics;  // of threads; what CPUs count is in their queues
inline CpuQueue& this_queue() { return *this_cpu().queue; }
inline CpuQueue& queue_of(const Thread& thread) { return *cpus[thread.last_cpu]->queue; }

class SCOPED_CAPABILITY RunQueueGuard {
  public:
    RunQueueGuard() ACQUIRE(run_queue_lock) { run_queue_lock.lock(); }
    ~RunQueueGuard() RELEASE() { run_queue_lock.unlock(); }

  private:
    InterruptsOff off_;
};

// All of these: interrupts off.
void set_state(Thread& thread, ThreadState state, const char* reason, Nanoseconds now) QUEUES_HELD;
const char* ready_reason_name(ReadyReason reason);
void note_thread_started(Thread& thread) QUEUES_HELD;  // counts it, and keeps a reference
void note_thread_ended(Thread& thread) QUEUES_HELD;
void wake(Thread& thread) QUEUES_HELD;  // what it waited for has come
// On the queue of the CPU where it may run soonest; that one is told if it has to give way.
void make_ready(Thread& thread, ReadyReason reason, Nanoseconds now) QUEUES_HELD;
void unqueue(Thread& thread) QUEUES_HELD;              // it is ready
void request_reschedule(Cpu& cpu) QUEUES_HELD;         // its thread gives way soon
void arm_dispatch_timer(CpuQueue& queue) QUEUES_HELD;  // for a turn's end, for throttled ones
void release_reservation(Thread& thread) QUEUES_HELD;  // it ends: its share is free
void count_ticks(uint32_t ticks, bool from_user) QUEUES_HELD;

inline bool is_queued(const Thread& thread) { return thread.state == ThreadState::ready; }
inline bool may_run_on(const Thread& thread, const Cpu& cpu) {
    return thread.affinity & cpu_bit(cpu.id);
}

// --- thread_control.cpp: of the current thread, which gives up the CPU
bool yields_to_none(const Thread& self, const CpuQueue& queue) QUEUES_HELD;  // it would go on
// It may not stay in this queue: it is to be suspended, or its affinity has changed.
bool must_leave(const Thread& self, const CpuQueue& queue, ReadyReason reason) QUEUES_HELD;
void send_away(Thread& self, ReadyReason reason, Nanoseconds now) QUEUES_HELD;
ThreadState blocked_or_suspended(Thread& self) QUEUES_HELD;  // which it is in its sleep

// --- balance.cpp: which CPU
void balance(CpuQueue& queue) QUEUES_HELD;                                     // at each tick
CpuQueue& choose_queue(const Thread& thread, Nanoseconds now) QUEUES_HELD;     // once it is ready
bool pull_work(CpuQueue& to, uint32_t at_least, Nanoseconds now) QUEUES_HELD;  // that has so many
void offer_to_idle(const Thread& thread) QUEUES_HELD;  // it is ready, but not the next here
