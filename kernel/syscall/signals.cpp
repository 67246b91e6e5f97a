// Signals: actions, masks, sending, waiting, alternate stacks, and the timers that send them.
// Spec: sigaction(2), sigprocmask(2), kill(2), sigsuspend(2), sigaltstack(2), setitimer(2).
#include "kernel/proc/interval_timers.hpp"
#include "kernel/syscall/system_call.hpp"

namespace {

constexpr uint32_t kSetBytes = sizeof(SignalSet);

Result<void> check_set_size(uint32_t bytes) {
    if (bytes != kSetBytes) return Errno::inval;
    return {};
}

Result<SignalSet> changed_mask(uint32_t how, SignalSet old, SignalSet set) {
    constexpr uint32_t kBlock = 0, kUnblock = 1, kSet = 2;
    switch (how) {
        case kBlock: return old | set;
        case kUnblock: return old & ~set;
        case kSet: return set;
        default: return Errno::inval;
    }
}

// The oldest calls know the first 32 signals only.
constexpr SignalSet with_low(SignalSet mask, uint32_t low) {
    return (mask & ~SignalSet(UINT32_MAX)) | low;
}

void sleep_until_signal() {
    while (park({.reason = "signal"}) != Woken::interrupted) {
    }
}

}  // namespace

// --- actions

Result<void> sys_rt_sigaction(int number, UserPtr<const SignalAction> action,
                              UserPtr<SignalAction> old, uint32_t bytes) {
    TRY(check_set_size(bytes));
    SignalAction wanted;
    if (action) wanted = TRY(read_user(action));
    SignalAction before = TRY(set_action(number, action ? &wanted : nullptr));
    return old ? write_user(old, before) : Result<void>();
}

int32_t sys_sigreturn(TrapFrame& frame) { return signal_return(frame, false); }
int32_t sys_rt_sigreturn(TrapFrame& frame) { return signal_return(frame, true); }

// --- masks

Result<void> sys_rt_sigprocmask(uint32_t how, UserPtr<const SignalSet> set, UserPtr<SignalSet> old,
                                uint32_t bytes) {
    TRY(check_set_size(bytes));
    SignalSet before = current_mask();
    if (set) set_mask(TRY(changed_mask(how, before, TRY(read_user(set)))));
    return old ? write_user(old, before) : Result<void>();
}

Result<void> sys_sigprocmask(uint32_t how, UserPtr<const uint32_t> set, UserPtr<uint32_t> old) {
    SignalSet before = current_mask();
    if (set) {
        SignalSet wanted = TRY(read_user(set));
        set_mask(with_low(before, static_cast<uint32_t>(TRY(changed_mask(how, before, wanted)))));
    }
    return old ? write_user(old, static_cast<uint32_t>(before)) : Result<void>();
}

Result<void> sys_rt_sigpending(UserPtr<SignalSet> to, uint32_t bytes) {
    if (bytes > kSetBytes) return Errno::inval;
    SignalSet pending = pending_signals();
    return copy_to_user(to.address(), &pending, bytes);
}

Result<void> sys_rt_sigsuspend(UserPtr<const SignalSet> mask, uint32_t bytes) {
    TRY(check_set_size(bytes));
    set_temporary_mask(TRY(read_user(mask)));
    sleep_until_signal();
    return Errno::restart_no_handler;
}
Result<void> sys_sigsuspend(uint32_t, uint32_t, uint32_t mask) {
    set_temporary_mask(mask);
    sleep_until_signal();
    return Errno::restart_no_handler;
}
Result<void> sys_pause() {
    sleep_until_signal();
    return Errno::restart_no_handler;
}

template <typename T>
Result<int> sys_rt_sigtimedwait(UserPtr<const SignalSet> set, UserPtr<SignalInfo> to,
                                UserPtr<const T> timeout, uint32_t bytes) {
    TRY(check_set_size(bytes));
    SignalSet wanted = TRY(read_user(set));
    Nanoseconds deadline{0};
    if (timeout) {
        Nanoseconds wait = TRY(read_time(timeout));
        deadline = wait.raw() ? deadline_after(monotonic_now(), wait) : Nanoseconds(1);
    }
    SignalInfo info = TRY(wait_for_signal(wanted, deadline));
    if (to) TRY(write_user(to, info));
    return info.number;
}

// --- sending

Result<void> sys_kill(int pid, int number) { return kill_processes(pid, signal_from_user(number)); }

Result<void> sys_tkill(int tid, int number) {
    if (tid <= 0) return Errno::inval;
    return kill_thread(0, tid, signal_from_user(number, kSiTkill));
}
Result<void> sys_tgkill(int tgid, int tid, int number) {
    if (tgid <= 0 || tid <= 0) return Errno::inval;
    return kill_thread(tgid, tid, signal_from_user(number, kSiTkill));
}

namespace {
// Only to itself may a process pretend that the kernel or kill() sent a signal.
Result<SignalInfo> forged_info(int pid, int number, UserPtr<const SignalInfo> from) {
    SignalInfo info = TRY(read_user(from));
    info.number = number;
    if ((info.code >= 0 || info.code == kSiTkill) && pid != current_process().pid)
        return Errno::perm;
    return info;
}
}  // namespace

Result<void> sys_rt_sigqueueinfo(int pid, int number, UserPtr<const SignalInfo> from) {
    const SignalInfo info = TRY(forged_info(pid, number, from));
    return pid > 0 ? kill_processes(pid, info) : Errno::srch;
}
Result<void> sys_rt_tgsigqueueinfo(int tgid, int tid, int number, UserPtr<const SignalInfo> from) {
    if (tgid <= 0 || tid <= 0) return Errno::inval;
    return kill_thread(tgid, tid, TRY(forged_info(tgid, number, from)));
}

// --- alternate stack

Result<void> sys_sigaltstack(TrapFrame& frame, UserPtr<const AlternateStack> from,
                             UserPtr<AlternateStack> to) {
    constexpr int kOnStack = 1, kDisable = 2;
    constexpr uint32_t kMinimum = 2048;
    AlternateStack& stack = current_thread().alternate_stack;
    bool on_it = !(stack.flags & kDisable) && frame.user_esp - stack.start < stack.size;
    AlternateStack old = stack;
    if (on_it) old.flags |= kOnStack;
    if (from) {
        AlternateStack wanted = TRY(read_user(from));
        if (on_it) return Errno::perm;
        if (wanted.flags != 0 && wanted.flags != kOnStack && wanted.flags != kDisable)
            return Errno::inval;
        if (wanted.flags == kDisable)
            wanted = {};
        else if (wanted.size < kMinimum)
            return Errno::nomem;
        wanted.flags &= kDisable;
        stack = wanted;
    }
    return to ? write_user(to, old) : Result<void>();
}

// --- timers

struct TimerSetting {  // struct itimerval
    TimeVal32 interval, value;
};

namespace {

// In the timer interrupt. A period shorter than a tick is stretched to about one.
void send_alarm(Timer& timer) {
    auto& self = static_cast<IntervalTimer&>(timer);
    {
        LockGuard guard(process_tree);
        send_signal(*self.process, signal_from_kernel(kSigAlrm));
    }
    if (!self.interval.raw()) return;
    Nanoseconds next = self.deadline + self.interval.raw();
    Nanoseconds soonest = monotonic_now() + kNanosecondsPerTick / 2;
    start_timer(self, next < soonest ? soonest : next);
}

Nanoseconds time_left(const IntervalTimer& timer) {
    Nanoseconds now = monotonic_now();
    if (!timer.node.linked()) return Nanoseconds(0);
    return Nanoseconds(timer.deadline > now ? timer.deadline - now : 1000);
}

// What it was.
IntervalSetting set_timer(Nanoseconds value, Nanoseconds interval) {
    Process& process = current_process();
    IntervalTimer& timer = process.real_timer;
    const IntervalSetting old{time_left(timer), timer.interval};
    cancel_timer(timer);
    timer.process = &process;
    timer.fire = send_alarm;
    timer.interval = interval;
    if (value.raw()) start_timer(timer, deadline_after(monotonic_now(), value));
    return old;
}

// The other kinds count CPU time. EINVAL: there is no such kind.
Result<IntervalSetting> use_cpu_timer(uint32_t which, const IntervalSetting* wanted) {
    if (which > kTimerProfile || !cpu_interval_timer) return Errno::inval;
    return cpu_interval_timer(which, wanted);
}

Result<void> tell_setting(UserPtr<TimerSetting> to, const IntervalSetting& setting) {
    return write_user(
        to, TimerSetting{to_time<TimeVal32>(setting.interval), to_time<TimeVal32>(setting.left)});
}

}  // namespace

Result<void> sys_getitimer(uint32_t which, UserPtr<TimerSetting> to) {
    if (which != kTimerReal) return tell_setting(to, TRY(use_cpu_timer(which, nullptr)));
    const IntervalTimer& timer = current_process().real_timer;
    return tell_setting(to, {time_left(timer), timer.interval});
}

Result<void> sys_setitimer(uint32_t which, UserPtr<const TimerSetting> from,
                           UserPtr<TimerSetting> to) {
    TimerSetting wanted{};
    if (from) wanted = TRY(read_user(from));
    const IntervalSetting fresh{.left = TRY(nanoseconds_of(wanted.value)),
                                .interval = TRY(nanoseconds_of(wanted.interval))};
    const IntervalSetting old = which == kTimerReal ? set_timer(fresh.left, fresh.interval)
                                                    : TRY(use_cpu_timer(which, &fresh));
    return to ? tell_setting(to, old) : Result<void>();
}

// What was left, in seconds, rounded but never down to "none".
uint32_t sys_alarm(uint32_t seconds) {
    Nanoseconds left =
        set_timer(Nanoseconds(uint64_t(seconds) * kNanosecondsPerSecond), Nanoseconds(0)).left;
    auto t = to_time<TimeSpec64>(left);
    auto whole = static_cast<uint32_t>(t.seconds);
    bool up = t.nanoseconds >= static_cast<int32_t>(kNanosecondsPerSecond / 2) ||
              (!whole && t.nanoseconds);
    return whole + up;
}

constexpr SystemCall kSignalsCalls[] = {
    CALL(27, alarm, sys_alarm),
    CALL(29, pause, sys_pause),
    CALL(37, kill, sys_kill),
    CALL(72, sigsuspend, sys_sigsuspend),
    CALL(104, setitimer, sys_setitimer),
    CALL(105, getitimer, sys_getitimer),
    CALL(119, sigreturn, sys_sigreturn),
    CALL(126, sigprocmask, sys_sigprocmask),
    CALL(173, rt_sigreturn, sys_rt_sigreturn),
    CALL(174, rt_sigaction, sys_rt_sigaction),
    CALL(175, rt_sigprocmask, sys_rt_sigprocmask),
    CALL(176, rt_sigpending, sys_rt_sigpending),
    CALL(177, rt_sigtimedwait, sys_rt_sigtimedwait<TimeSpec32>),
    CALL(178, rt_sigqueueinfo, sys_rt_sigqueueinfo),
    CALL(179, rt_sigsuspend, sys_rt_sigsuspend),
    CALL(186, sigaltstack, sys_sigaltstack),
    CALL(238, tkill, sys_tkill),
    CALL(270, tgkill, sys_tgkill),
    CALL(335, rt_tgsigqueueinfo, sys_rt_tgsigqueueinfo),
    CALL(421, rt_sigtimedwait_time64, sys_rt_sigtimedwait<TimeSpec64>),
};
SYSTEM_CALLS(kSignalsCalls);
