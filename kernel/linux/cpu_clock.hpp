// Clocks that count what a process or a thread has used of the CPUs, and alarms by them, which are looked at in
// each tick that the process runs in: so they are exact to 10 ms.
// Locks: process_tree for everything here.
// Spec: clock_getcpuclockid(3), timer_create(2); Linux's numbers of such clocks.
#pragma once

#include "kernel/proc/process.hpp"

struct UsageClock {
    Ref<Process> process;
    Ref<UserThread> thread;  // null: the whole process
    bool user_only = false;
    Nanoseconds now() const REQUIRES(process_tree);
};
// CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID, or a number made of a pid or tid; only of the caller's
// own threads. EINVAL.
Result<UsageClock> cpu_clock_named(int clock);
constexpr bool is_cpu_clock(int clock) { return clock < 0 || clock == 2 || clock == 3; }

struct CpuAlarm {
    ListNode alarm_node;  // linked: it is set
    UsageClock cpu_clock;
    Nanoseconds cpu_deadline{0};
    void (*cpu_fire)(CpuAlarm& alarm) = nullptr;  // it is off then
};
// In a tick of the timer in which this process runs. In the interrupt, without a lock.
inline constinit HookList<Process&> process_ticks;

// ENOMEM, if it is the first of that process.
Result<void> prepare_cpu_alarm(CpuAlarm& alarm);
void set_cpu_alarm(CpuAlarm& alarm);
