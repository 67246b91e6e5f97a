// Timers that send signals. Spec: timer_create(2), timer_settime(2), timer_getoverrun(2),
// timer_delete(2), sigevent(7).
#include "kernel/linux/posix_timers.hpp"
#include "kernel/linux/time_events.hpp"

namespace {

// Whether it is one that goes with real time.
Result<bool> is_real_time(int clock) {
    enum : int {
        real_time = 0,
        monotonic = 1,
        boot_time = 7,
        real_alarm = 8,
        boot_alarm = 9,
        atomic_time = 11
    };
    switch (clock) {
        case real_alarm:
        case boot_alarm:
            if (!context().credentials.may(Capability::wake_alarm)) return Errno::perm;
            return clock == real_alarm;
        case real_time:
        case atomic_time: return true;
        case monotonic:
        case boot_time: return false;
        default: return Errno::inval;
    }
}

Result<PosixTimers*> own_timers() {
    return current_process().attached.get_or_make<PosixTimers>(current_process());
}

Result<TimerNotice> timer_notice(const SignalEvent& event) {
    enum : int32_t { by_signal = 0, silent = 1, by_thread = 2, to_thread = 4 };
    TimerNotice notice{.way = TimerNotice::Way::process,
                       .signal = event.signal,
                       .tid = event.thread,
                       .value = event.value};
    if (event.way == silent) return TimerNotice{};
    if (event.signal < 1 || event.signal > kSignals) return Errno::inval;
    if (event.way == by_signal || event.way == by_thread) return notice;
    if (event.way != to_thread) return Errno::inval;
    const Ref<UserThread> thread = find_thread(event.thread);
    if (!thread || thread->process != &current_process()) return Errno::inval;
    notice.way = TimerNotice::Way::thread;
    return notice;
}

template <typename T>
TimerTimes<T> timer_times(const PosixTimers::Setting& setting) {
    return {to_time<T>(setting.interval), to_time<T>(setting.left)};
}

}  // namespace

Result<void> sys_timer_create(int clock, UserPtr<const SignalEvent> from, UserPtr<int32_t> to) {
    TimerNotice notice;
    if (from) notice = TRY(timer_notice(TRY(read_user(from))));
    PosixTimers& timers = *TRY(own_timers());
    UsageClock cpu;
    const bool by_cpu = is_cpu_clock(clock);
    if (by_cpu) cpu = TRY(cpu_clock_named(clock));
    const bool real_time = !by_cpu && TRY(is_real_time(clock));
    const int id = TRY(timers.add(from ? &notice : nullptr, real_time, by_cpu ? &cpu : nullptr));
    Result<void> told = write_user(to, int32_t{id});
    if (told.is_error()) (void)timers.remove(id);
    return told;
}

template <typename T>
Result<void> sys_timer_settime(int id, uint32_t flags, UserPtr<const TimerTimes<T>> from,
                               UserPtr<TimerTimes<T>> to) {
    constexpr uint32_t kAbsolute = 1;
    if (!from) return Errno::inval;
    const TimerTimes<T> times = TRY(read_user(from));
    const PosixTimers::Wanted wanted{.value = TRY(nanoseconds_of(times.value)),
                                     .interval = TRY(nanoseconds_of(times.interval)),
                                     .absolute = (flags & kAbsolute) != 0};
    const PosixTimers::Setting old = TRY(TRY(own_timers())->set(id, wanted));
    return to ? write_user(to, timer_times<T>(old)) : Result<void>();
}

template <typename T>
Result<void> sys_timer_gettime(int id, UserPtr<TimerTimes<T>> to) {
    return write_user(to, timer_times<T>(TRY(TRY(own_timers())->setting(id))));
}

Result<uint32_t> sys_timer_getoverrun(int id) { return TRY(own_timers())->overrun(id); }
Result<void> sys_timer_delete(int id) { return TRY(own_timers())->remove(id); }

constexpr SystemCall kPosixTimerCalls[] = {
    CALL(259, timer_create, sys_timer_create),
    CALL(260, timer_settime, sys_timer_settime<TimeSpec32>),
    CALL(261, timer_gettime, sys_timer_gettime<TimeSpec32>),
    CALL(262, timer_getoverrun, sys_timer_getoverrun),
    CALL(263, timer_delete, sys_timer_delete),
    CALL(408, timer_gettime64, sys_timer_gettime<TimeSpec64>),
    CALL(409, timer_settime64, sys_timer_settime<TimeSpec64>),
};
SYSTEM_CALLS(kPosixTimerCalls);
