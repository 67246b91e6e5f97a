// The dispatcher (short-term scheduler): run queue, context switch, preemption.
// Who runs next is the decision of a policy (policy.hpp), chosen by policy_control.hpp; each CPU has
// a queue of its own, and balance.cpp says which one a thread is on.
// Preemption happens on the way back to user mode, in the idle loop and at preemption points
// (kernel/lib/preemption.hpp); else the kernel is not preempted, so per-CPU data needs no lock
// against other threads of this CPU.
// Locks: the run queue's IrqSpinLock (rank run_queue).
#pragma once

#include "kernel/sched/thread.hpp"

void scheduler_init();                            // makes the boot code the first thread (idle)
Result<void> scheduler_add_cpu(struct Cpu& cpu);  // its queue, and an idle thread to start on
void start_thread(Thread& thread);  // created -> ready; the run queue keeps a reference
void yield();                       // to the end of the queue
[[noreturn]] void exit_thread();    // terminated; the last reference frees it
[[noreturn]] void idle_loop(bool spin);
void reschedule_if_wanted();  // called with interrupts on, no locks held
// The timer interrupt: so many ticks went by, and whether the dispatcher's deadline has come.
void scheduler_clock(uint32_t ticks, bool turn_over, bool from_user);

// Medium-term scheduling: out of the run queue, whatever happens, until it is resumed. What a
// blocked one waits for may come meanwhile; it then is suspended-ready. One that runs in the kernel
// goes on until it returns to user mode or blocks.
void suspend_thread(Thread& thread);
void resume_thread(Thread& thread);
// The same for load control: not before it returns to user mode or waits for a signal or event, so
// that it holds nothing in the kernel that the thread that resumes it may need.
void put_to_rest(Thread& thread);

struct SchedulerStatistics {
    uint64_t context_switches, idle_nanoseconds;
    uint32_t ready, threads;
    uint64_t threads_created;
    uint64_t user_ticks, kernel_ticks, idle_ticks;
};
SchedulerStatistics scheduler_statistics();
struct CpuTicks {
    uint64_t user, kernel, idle;
    uint64_t switches;
};
CpuTicks cpu_ticks(uint32_t cpu);
uint64_t cpu_busy_nanoseconds(uint32_t cpu);  // with other threads than the idle one
uint64_t cpu_time_of(const Thread& thread);   // nanoseconds, up to now if it runs
// Exponential averages of runnable threads over 1, 5, 15 minutes, fixed point with 11 bits.
void load_averages(uint32_t (&loads)[3]);
