// See posix_timers.hpp. A timer that expires while its last signal still waits adds to that signal's
// overrun (signal_send.cpp), so each has one signal at most.
#include "kernel/linux/posix_timers.hpp"

#include <algorithm>

#include "kernel/lib/start_up.hpp"
#include "kernel/proc/process_table.hpp"

namespace {

// A shorter period than this many nanoseconds is passed over in steps of about this.
constexpr uint32_t kShortest = 100'000;

void notify(const PosixTimer& timer, uint32_t missed) REQUIRES(process_tree) {
    const TimerNotice& notice = timer.notice;
    if (notice.way == TimerNotice::Way::none) return;
    SignalInfo info;
    info.number = notice.signal;
    info.code = kSiTimer;
    info.fields[0] = static_cast<uint32_t>(timer.id);
    info.fields[1] = missed;
    info.fields[2] = notice.value;
    UserThread* thread = find_thread_locked(notice.tid);
    if (notice.way == TimerNotice::Way::process)
        send_signal(*timer.process, info);
    else if (thread && thread->process == timer.process)
        send_signal(*thread, info);
}

// In the timer interrupt.
void expire(Timer& timer) {
    auto& self = static_cast<PosixTimer&>(timer);
    LockGuard guard(process_tree);
    if (!self.interval.raw()) return notify(self, 0);
    const uint64_t interval = self.interval.raw();
    Nanoseconds next = self.deadline + interval;
    const Nanoseconds soonest = monotonic_now() + kShortest;
    uint64_t missed = 0;
    if (next < soonest) {
        missed = (soonest - next + interval - 1) / interval;
        next = next + missed * interval;
    }
    notify(self, missed > INT32_MAX ? INT32_MAX : static_cast<uint32_t>(missed));
    start_timer(self, next);
}

// In a tick of its process.
void expire_by_cpu(CpuAlarm& alarm) REQUIRES(process_tree) {
    auto& self = static_cast<PosixTimer&>(alarm);
    const uint64_t interval = self.interval.raw();
    if (!interval) return notify(self, 0);
    const uint64_t late = self.cpu_clock.now() - self.cpu_deadline, missed = late / interval;
    self.cpu_deadline = self.cpu_deadline + (missed + 1) * interval;
    notify(self, static_cast<uint32_t>(std::min<uint64_t>(missed, INT32_MAX)));
    set_cpu_alarm(self);
}

PosixTimers::Setting setting_by_cpu(const PosixTimer& timer) REQUIRES(process_tree) {
    if (!timer.alarm_node.linked()) return {Nanoseconds(0), timer.interval};
    const Nanoseconds now = timer.cpu_clock.now();
    return {Nanoseconds(timer.cpu_deadline > now ? timer.cpu_deadline - now : 1), timer.interval};
}

PosixTimers::Setting setting_of(const PosixTimer& timer, bool was_running) {
    if (!was_running) return {Nanoseconds(0), timer.interval};
    const Nanoseconds now = monotonic_now();
    return {Nanoseconds(timer.deadline > now ? timer.deadline - now : 1), timer.interval};
}

}  // namespace

PosixTimer* PosixTimers::find(int id) {
    PosixTimer* timer = timers_.find_not_below(id);
    return timer && timer->id == id ? timer : nullptr;
}

Result<int> PosixTimers::add(const TimerNotice* notice, bool real_time, const UsageClock* cpu) {
    // Each may have a signal waiting, and counts as one.
    const Ref<UserAccount> payer = process_.account;
    if (!UserAccount::charge(payer->signals, 1, process_.limits[limit_sigpending].soft))
        return Errno::again;
    auto* fresh = new (std::nothrow) PosixTimer;
    if (!fresh) {
        UserAccount::uncharge(payer->signals, 1);
        return Errno::again;
    }
    fresh->payer = payer;
    if (cpu) fresh->cpu_clock = *cpu;
    fresh->cpu_fire = expire_by_cpu;
    if (cpu && prepare_cpu_alarm(*fresh).is_error()) {
        UserAccount::uncharge(payer->signals, 1);
        delete fresh;
        return Errno::again;
    }
    LockGuard setter(settings_);
    LockGuard guard(process_.signal_lock);
    do {
        fresh->id = next_id_;
        next_id_ = next_id_ == INT32_MAX ? 0 : next_id_ + 1;
    } while (find(fresh->id));
    fresh->process = &process_;
    fresh->fire = expire;
    fresh->notice = notice ? *notice
                           : TimerNotice{.way = TimerNotice::Way::process,
                                         .signal = kSigAlrm,
                                         .tid = 0,
                                         .value = static_cast<uint32_t>(fresh->id)};
    fresh->real_time = real_time;
    timers_.insert(*fresh);
    return fresh->id;
}

Result<void> PosixTimers::remove(int id) {
    LockGuard setter(settings_);
    Box<PosixTimer> timer(find(id));
    if (!timer) return Errno::inval;
    cancel_timer(*timer);
    LockGuard tree(process_tree);
    if (timer->alarm_node.linked()) timer->alarm_node.unlink();
    LockGuard guard(process_.signal_lock);
    timers_.remove(*timer);
    UserAccount::uncharge(timer->payer->signals, 1);
    return {};
}

void PosixTimers::remove_all() {
    while (!timers_.empty()) (void)remove(timers_.first()->id);
}

Result<PosixTimers::Setting> PosixTimers::set(int id, const Wanted& wanted) {
    LockGuard setter(settings_);
    PosixTimer* timer = find(id);
    if (!timer) return Errno::inval;
    if (timer->by_cpu()) return set_by_cpu(*timer, wanted);
    const Setting old = setting_of(*timer, cancel_timer(*timer));
    timer->interval = wanted.value.raw() ? wanted.interval : Nanoseconds(0);
    if (!wanted.value.raw()) return old;
    Nanoseconds deadline = wanted.value;
    if (!wanted.absolute) {
        const Nanoseconds now = monotonic_now();
        const uint64_t most = INT64_MAX - now.raw();
        deadline = now + (deadline.raw() < most ? deadline.raw() : most);
    } else if (timer->real_time) {
        deadline = monotonic_at(deadline);
    }
    start_timer(*timer, deadline);
    return old;
}

Result<PosixTimers::Setting> PosixTimers::set_by_cpu(PosixTimer& timer, const Wanted& wanted) {
    LockGuard guard(process_tree);
    const Setting old = setting_by_cpu(timer);
    if (timer.alarm_node.linked()) timer.alarm_node.unlink();
    timer.interval = wanted.value.raw() ? wanted.interval : Nanoseconds(0);
    if (!wanted.value.raw()) return old;
    const Nanoseconds now = timer.cpu_clock.now();
    timer.cpu_deadline = wanted.absolute ? wanted.value : deadline_after(now, wanted.value);
    if (timer.cpu_deadline <= now)
        expire_by_cpu(timer);
    else
        set_cpu_alarm(timer);
    return old;
}

Result<PosixTimers::Setting> PosixTimers::setting(int id) {
    LockGuard setter(settings_);
    PosixTimer* timer = find(id);
    if (!timer) return Errno::inval;
    if (timer->by_cpu()) {
        LockGuard guard(process_tree);
        return setting_by_cpu(*timer);
    }
    const bool running = cancel_timer(*timer);
    const Setting now = setting_of(*timer, running);
    if (running) start_timer(*timer, timer->deadline);
    return now;
}

Result<uint32_t> PosixTimers::overrun(int id) {
    LockGuard setter(settings_);
    PosixTimer* timer = find(id);
    if (!timer) return Errno::inval;
    LockGuard guard(process_.signal_lock);
    return timer->overrun;
}

void PosixTimers::note_taken(const SignalInfo& info) {
    if (PosixTimer* timer = find(static_cast<int>(info.fields[0]))) timer->overrun = info.fields[1];
}

namespace {

constinit HookList<Process&>::Hook timers_end_hook{[](Process& process) {
    if (auto* timers = process.attached.get<PosixTimers>()) timers->remove_all();
}};
constinit HookList<Process&, const SignalInfo&>::Hook timer_signal_hook{
    [](Process& process, const SignalInfo& info) {
        if (info.code != kSiTimer) return;
        if (auto* timers = process.attached.get<PosixTimers>()) timers->note_taken(info);
    }};

void posix_timers_init() {
    program_ends.add(timers_end_hook);
    signal_taken.add(timer_signal_hook);
}
AT_START_UP(posix_timers_init);

}  // namespace
