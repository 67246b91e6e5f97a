// Timers and signals as files. Spec: timerfd_create(2), signalfd(2).
#include "kernel/linux/event_counter.hpp"
#include "kernel/linux/timer_file.hpp"
#include "kernel/linux/signal_file.hpp"
#include "kernel/linux/time_events.hpp"

// --- timers

Result<int> sys_timerfd_create(int clock, uint32_t flags) {
    enum : int { real_time = 0, monotonic = 1, boot_time = 7, real_alarm = 8, boot_alarm = 9 };
    if (flags & ~(kOpenCloseOnExec | kOpenNonBlock)) return Errno::inval;
    const bool alarm = clock == real_alarm || clock == boot_alarm;
    const bool real = clock == real_time || clock == real_alarm;
    if (!alarm && !real && clock != monotonic && clock != boot_time) return Errno::inval;
    if (alarm && !context().credentials.may(Capability::wake_alarm)) return Errno::perm;
    return install(TRY(make_timer_file(real, flags & kOpenNonBlock)), flags & kOpenCloseOnExec);
}

namespace {

struct OpenTimer {
    Ref<File> file;
    TimerFile* timer;
};
Result<OpenTimer> timer_of(int fd) {
    OpenTimer found{TRY(file_of(fd)), nullptr};
    if (found.file->flags() & kOpenPath) return Errno::badf;
    found.timer = file_as<TimerFile>(*found.file);
    return found.timer ? Result(std::move(found)) : Errno::inval;
}

template <typename T>
TimerTimes<T> timer_file_times(const TimerFile::Setting& setting) {
    return {to_time<T>(setting.interval), to_time<T>(setting.left)};
}

}  // namespace

template <typename T>
Result<void> sys_timerfd_settime(int fd, uint32_t flags, UserPtr<const TimerTimes<T>> from,
                                 UserPtr<TimerTimes<T>> to) {
    constexpr uint32_t kAbsolute = 1, kCancelOnSet = 2;
    const TimerTimes<T> times = TRY(read_user(from));
    if (flags & ~(kAbsolute | kCancelOnSet)) return Errno::inval;
    const TimerFile::Wanted wanted{.value = TRY(nanoseconds_of(times.value)),
                                   .interval = TRY(nanoseconds_of(times.interval)),
                                   .absolute = (flags & kAbsolute) != 0,
                                   .cancel_on_set = (flags & kCancelOnSet) != 0};
    OpenTimer open = TRY(timer_of(fd));
    const TimerFile::Setting old = open.timer->set(wanted);
    return to ? write_user(to, timer_file_times<T>(old)) : Result<void>();
}

template <typename T>
Result<void> sys_timerfd_gettime(int fd, UserPtr<TimerTimes<T>> to) {
    OpenTimer open = TRY(timer_of(fd));
    return write_user(to, timer_file_times<T>(open.timer->setting()));
}

// --- signals

Result<int> sys_signalfd4(int fd, UserPtr<const SignalSet> from, uint32_t bytes, uint32_t flags) {
    if (flags & ~(kOpenCloseOnExec | kOpenNonBlock)) return Errno::inval;
    if (bytes != sizeof(SignalSet)) return Errno::inval;
    const SignalSet set = TRY(read_user(from));
    if (fd == -1) {
        Ref<SignalFile> made = TRY(make_ref<SignalFile>(set, flags & kOpenNonBlock));
        return install(Ref<File>(std::move(made)), flags & kOpenCloseOnExec);
    }
    Ref<File> file = TRY(file_of(fd));
    auto* signals = file_as<SignalFile>(*file);
    if (!signals) return Errno::inval;
    signals->set_signals(set);
    return fd;
}
Result<int> sys_signalfd(int fd, UserPtr<const SignalSet> from, uint32_t bytes) {
    return sys_signalfd4(fd, from, bytes, 0);
}

// --- event counters

Result<int> sys_eventfd2(uint32_t initial, uint32_t flags) {
    constexpr uint32_t kSemaphore = 1;
    if (flags & ~(kSemaphore | kOpenCloseOnExec | kOpenNonBlock)) return Errno::inval;
    return install(TRY(make_event_counter(initial, flags & kOpenNonBlock, flags & kSemaphore)),
                   flags & kOpenCloseOnExec);
}
Result<int> sys_eventfd(uint32_t initial) { return sys_eventfd2(initial, 0); }

constexpr SystemCall kEventCalls[] = {
    CALL(321, signalfd, sys_signalfd),
    CALL(322, timerfd_create, sys_timerfd_create),
    CALL(323, eventfd, sys_eventfd),
    CALL(325, timerfd_settime, sys_timerfd_settime<TimeSpec32>),
    CALL(326, timerfd_gettime, sys_timerfd_gettime<TimeSpec32>),
    CALL(327, signalfd4, sys_signalfd4),
    CALL(328, eventfd2, sys_eventfd2),
    CALL(410, timerfd_gettime64, sys_timerfd_gettime<TimeSpec64>),
    CALL(411, timerfd_settime64, sys_timerfd_settime<TimeSpec64>),
};
SYSTEM_CALLS(kEventCalls);
