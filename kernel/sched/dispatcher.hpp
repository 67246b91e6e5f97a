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

struct CpuQueue {
    CpuQueue(Cpu& owner, struct Schedulers& policies);  // with the policy and the tunables of all
    static CpuQueue* make(Cpu& owner);                  // null: no memory
    Cpu& cpu;
    struct Schedulers& policies;
    RealTimeClass run;                        // the threads that are ready here,
    List<Thread, &Thread::ready_node> ready;  // and, with several CPUs, a list of them
    uint64_t user_ticks = 0, kernel_ticks = 0, idle_ticks = 0, context_switches = 0;
    uint32_t vain_yields = 0;  // that found no other thread

    bool idles() const { return cpu.current == cpu.idle && !cpu.reschedule && !run.ready_count(); }
};
extern uint32_t policy_index;                 // of the policy that all queues have
extern SchedulerStatistics sched_statistics;  // of threads; what CPUs count is in their queues
inline CpuQueue& this_queue() { return *this_cpu().queue; }
inline CpuQueue& queue_of(const Thread& thread) { return *cpus[thread.last_cpu]->queue; }

class RunQueueGuard {
  public:
    RunQueueGuard() { run_queue_lock.lock(); }
    ~RunQueueGuard() { run_queue_lock.unlock(); }

  private:
    InterruptsOff off_;
};

// All of these: interrupts off, run_queue held.
void set_state(Thread& thread, ThreadState state, const char* reason, Nanoseconds now);
const char* ready_reason_name(ReadyReason reason);
void note_thread_started(Thread& thread);  // counts it, and keeps a reference
void note_thread_ended(Thread& thread);
void wake(Thread& thread);  // what it waited for has come
// On the queue of the CPU where it may run soonest; that one is told if it has to give way.
void make_ready(Thread& thread, ReadyReason reason, Nanoseconds now);
void unqueue(Thread& thread);              // it is ready
void request_reschedule(Cpu& cpu);         // the thread that runs there gives way soon
void arm_dispatch_timer(CpuQueue& queue);  // for the running thread's turn, and throttled ones
void release_reservation(Thread& thread);  // it ends: its share of the CPU is free again

inline bool is_queued(const Thread& thread) { return thread.state == ThreadState::ready; }
inline bool may_run_on(const Thread& thread, const Cpu& cpu) {
    return thread.affinity & cpu_bit(cpu.id);
}

// --- thread_control.cpp: of the current thread, which gives up the CPU
bool yields_to_none(const Thread& self, const CpuQueue& queue);  // it would run on at once
// It may not stay in this queue: it is to be suspended, or its affinity has changed.
bool must_leave(const Thread& self, const CpuQueue& queue, ReadyReason reason);
void send_away(Thread& self, ReadyReason reason, Nanoseconds now);
ThreadState blocked_or_suspended(Thread& self);  // which of the two it is in its sleep

// --- accounting.cpp
void count_ticks(uint32_t ticks, bool from_user);

// --- balance.cpp: which CPU
void balance(CpuQueue& queue);                                     // at each tick
CpuQueue& choose_queue(const Thread& thread, Nanoseconds now);     // for one that becomes ready
bool pull_work(CpuQueue& to, uint32_t at_least, Nanoseconds now);  // from one with so many ready
void offer_to_idle(const Thread& thread);  // it is ready, but not the next here
