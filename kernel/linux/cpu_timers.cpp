// Timers of CPU time, looked at in each tick that a thread of the process runs: so they are exact to
// 10 ms, as the times that getrusage tells. ITIMER_VIRTUAL counts user time, ITIMER_PROF all of it;
// RLIMIT_CPU warns each second from the soft limit on (SIGXCPU), and kills at the hard one.
// Locks: process_tree guards what is set. Spec: setitimer(2), getrlimit(2).
#include "kernel/lib/start_up.hpp"
#include "kernel/linux/cpu_clock.hpp"
#include "kernel/proc/interval_timers.hpp"
#include "kernel/proc/process_table.hpp"

namespace {

constexpr uint64_t kTick = kNanosecondsPerTick;

struct CpuTimers final : Attachment {
    static constexpr char kKind = 0;
    // By `which` of setitimer: only 1 (user time) and 2 (all time) are used.
    IntervalSetting timers[3];  // process_tree
};

// The timer has run for one more stretch. Whether it expires; then it begins again, or is off.
bool count_down(IntervalSetting& timer, uint64_t by) {
    if (!timer.left.raw()) return false;
    if (timer.left.raw() > by) {
        timer.left = Nanoseconds(timer.left.raw() - by);
        return false;
    }
    const uint64_t late = by - timer.left.raw(), interval = timer.interval.raw();
    timer.left = Nanoseconds(interval ? interval - late % interval : 0);
    return true;
}

uint64_t seconds_used(Process& process) REQUIRES(process_tree) {
    CpuTimes sum = process.dead_threads;
    for (Thread& thread : process.threads) sum.add(times_of(thread));
    return (sum.user + sum.kernel) / (kTick * kTicksPerSecond);
}

void obey_limit(Process& process) REQUIRES(process_tree) {
    LimitPair& limit = process.limits[limit_cpu];
    const uint64_t used = seconds_used(process);
    if (used >= limit.hard) {
        send_signal(process, signal_from_kernel(kSigKill));
    } else if (used >= std::max(limit.soft, 1u)) {
        send_signal(process, signal_from_kernel(kSigXcpu));
        limit.soft = static_cast<uint32_t>(used) + 1;
    }
}

// In the timer interrupt.
void count_ticks_of(Process& process, uint32_t ticks, bool from_user) {
    auto* timers = process.attached.get<CpuTimers>();
    const bool limited = process.limits[limit_cpu].soft != kInfinite;
    if (!timers && !limited) return;
    LockGuard guard(process_tree);
    if (process.life != Life::alive) return;
    if (timers && from_user && count_down(timers->timers[kTimerVirtual], ticks * kTick))
        send_signal(process, signal_from_kernel(kSigVtalrm));
    if (timers && count_down(timers->timers[kTimerProfile], ticks * kTick))
        send_signal(process, signal_from_kernel(kSigProf));
    if (limited) obey_limit(process);
}

Result<IntervalSetting> use_timer(uint32_t which, const IntervalSetting* wanted) {
    CpuTimers& timers = *TRY(current_process().attached.get_or_make<CpuTimers>());
    LockGuard guard(process_tree);
    const IntervalSetting old = timers.timers[which];
    if (wanted) timers.timers[which] = *wanted;
    return old;
}

void cpu_timers_init() {
    cpu_interval_timer = use_timer;
    cpu_tick_hook = [](uint32_t ticks, bool from_user) {
        Process* process = Thread::current().process;
        if (!process) return;
        count_ticks_of(*process, ticks, from_user);
        process_ticks(*process);
    };
}
AT_START_UP(cpu_timers_init);

}  // namespace
