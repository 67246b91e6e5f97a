// Clocks and sleeping. Spec: clock_gettime(2), clock_nanosleep(2), gettimeofday(2), time(2).
#include "kernel/sched/clock.hpp"
#include "kernel/syscall/system_call.hpp"
#include "kernel/syscall/time_clocks.hpp"

Result<Nanoseconds> (*other_clock)(int) = [](int) { return Result<Nanoseconds>(Errno::inval); };

namespace {

enum class Clock : int {
    real_time,
    monotonic,
    process_cpu,
    thread_cpu,
    monotonic_raw,
    real_time_coarse,
    monotonic_coarse,
    boot_time,
    real_time_alarm,
    boot_time_alarm,
    unused,
    atomic_time,
};

uint64_t thread_time() {
    const Thread& self = Thread::current();
    return self.sched.cpu_time + (monotonic_now().raw() - self.started_at);
}

Result<Nanoseconds> read_clock(Clock clock) {
    switch (clock) {
        case Clock::real_time:
        case Clock::real_time_coarse:
        case Clock::real_time_alarm:
        case Clock::atomic_time: return realtime_now();
        case Clock::monotonic:
        case Clock::monotonic_raw:
        case Clock::monotonic_coarse:
        case Clock::boot_time:
        case Clock::boot_time_alarm: return monotonic_now();
        case Clock::process_cpu: {
            CpuTimes times = current_process().times();
            return Nanoseconds(times.user + times.kernel);
        }
        case Clock::thread_cpu: return Nanoseconds(thread_time());
        default: return other_clock(static_cast<int>(clock));
    }
}

Result<void> set_clock(Nanoseconds now) {
    if (!context().credentials.may(Capability::sys_time)) return Errno::perm;
    if (now < monotonic_now()) return Errno::inval;  // it would have been switched on before 1970
    set_realtime(now);
    return {};
}

}  // namespace

template <typename T>
Result<void> sys_clock_gettime(int clock, UserPtr<T> to) {
    return write_user(to, to_time<T>(TRY(read_clock(static_cast<Clock>(clock)))));
}

template <typename T>
Result<void> sys_clock_settime(int clock, UserPtr<const T> from) {
    if (static_cast<Clock>(clock) != Clock::real_time) return Errno::inval;
    return set_clock(TRY(read_time(from)));
}

template <typename T>
Result<void> sys_clock_getres(int clock, UserPtr<T> to) {
    TRY(read_clock(static_cast<Clock>(clock)));
    bool counts_ticks = static_cast<Clock>(clock) == Clock::process_cpu;
    if (!to) return {};
    return write_user(to, to_time<T>(Nanoseconds(counts_ticks ? kNanosecondsPerTick : 1)));
}

struct TimeZone {
    int32_t minutes_west, daylight_saving;
};

Result<void> sys_gettimeofday(UserPtr<TimeVal32> to, UserPtr<TimeZone> zone) {
    if (to) TRY(write_user(to, to_time<TimeVal32>(realtime_now())));
    return zone ? write_user(zone, TimeZone{0, 0}) : Result<void>();
}
Result<void> sys_settimeofday(UserPtr<const TimeVal32> from, UserPtr<const TimeZone> zone) {
    if (zone) TRY(read_user(zone));  // the kernel keeps UTC
    return from ? set_clock(TRY(read_time(from))) : Result<void>();
}

Result<int32_t> sys_time(UserPtr<int32_t> to) {
    int32_t now = to_time<TimeSpec32>(realtime_now()).seconds;
    if (to) TRY(write_user(to, now));
    return now;
}
Result<void> sys_stime(UserPtr<const int32_t> from) {
    return set_clock(TRY(nanoseconds_of(TRY(read_user(from)), 0)));
}

// --- sleeping

namespace {

// True if the deadline came, false if a signal did.
bool sleep_until(Nanoseconds deadline) {
    while (monotonic_now() < deadline)
        if (park({.deadline = deadline, .reason = "sleep"}) == Woken::interrupted)
            return monotonic_now() >= deadline;
    return true;
}

// A signal without a handler (a stop and continuation, say) repeats the call, which then goes on
// to the first one's deadline; signal delivery forgets that when a handler runs.
template <typename T>
Result<void> sleep_for(Nanoseconds time, UserPtr<T> remaining) {
    UserThread& self = current_thread();
    Nanoseconds deadline = std::exchange(self.restart_deadline, Nanoseconds(0));
    if (!deadline.raw()) deadline = deadline_after(monotonic_now(), time);
    if (sleep_until(deadline)) return {};
    Nanoseconds now = monotonic_now();
    if (remaining)
        TRY(write_user(remaining, to_time<T>(Nanoseconds(deadline > now ? deadline - now : 0))));
    self.restart_deadline = deadline;
    return Errno::restart_no_handler;
}

bool is_monotonic(Clock clock) { return clock == Clock::monotonic || clock == Clock::boot_time; }
// EOPNOTSUPP: the clock is there, but nobody wakes by it.
Result<void> check_sleep_on(Clock clock) {
    if (is_monotonic(clock) || clock == Clock::real_time || clock == Clock::atomic_time) return {};
    TRY(read_clock(clock));
    return Errno::opnotsupp;
}

}  // namespace

Result<void> sys_nanosleep(UserPtr<const TimeSpec32> time, UserPtr<TimeSpec32> remaining) {
    return sleep_for(TRY(read_time(time)), remaining);
}

template <typename T>
Result<void> sys_clock_nanosleep(int clock, uint32_t flags, UserPtr<const T> time,
                                 UserPtr<T> remaining) {
    constexpr uint32_t kAbsolute = 1;
    if (flags & ~kAbsolute) return Errno::inval;
    TRY(check_sleep_on(static_cast<Clock>(clock)));
    Nanoseconds wanted = TRY(read_time(time));
    if (!(flags & kAbsolute)) return sleep_for(wanted, remaining);
    // Not by way of what is left until then: the first to ask for an instant is the first to wake.
    const bool monotonic = is_monotonic(static_cast<Clock>(clock));
    if (sleep_until(monotonic ? wanted : monotonic_at(wanted))) return {};
    return Errno::restart_no_handler;
}

constexpr SystemCall kTimeCalls[] = {
    CALL(13, time, sys_time),
    CALL(25, stime, sys_stime),
    CALL(78, gettimeofday, sys_gettimeofday),
    CALL(79, settimeofday, sys_settimeofday),
    CALL(162, nanosleep, sys_nanosleep),
    CALL(264, clock_settime, sys_clock_settime<TimeSpec32>),
    CALL(265, clock_gettime, sys_clock_gettime<TimeSpec32>),
    CALL(266, clock_getres, sys_clock_getres<TimeSpec32>),
    CALL(267, clock_nanosleep, sys_clock_nanosleep<TimeSpec32>),
    CALL(403, clock_gettime64, sys_clock_gettime<TimeSpec64>),
    CALL(404, clock_settime64, sys_clock_settime<TimeSpec64>),
    CALL(406, clock_getres_time64, sys_clock_getres<TimeSpec64>),
    CALL(407, clock_nanosleep_time64, sys_clock_nanosleep<TimeSpec64>),
};
SYSTEM_CALLS(kTimeCalls);
