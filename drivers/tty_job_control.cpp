// The terminal and its processes: sessions, the foreground group, signals.
// Spec: POSIX.1-2017 11.1.2-11.1.4.
#include "drivers/tty.hpp"

namespace {

constexpr int kHangUp = 1, kContinue = 18, kWindowChanged = 28;  // SIGHUP, SIGCONT, SIGWINCH

// Until kernel/proc is there nobody has a session.
constinit JobControl job_control = {
    .caller = [] { return JobControl::Caller{}; },
    .terminal = []() -> Tty* { return nullptr; },
    .set_terminal = [](int, Tty*) {},
    .blocks_or_ignores = [](int) { return true; },
    .is_orphaned = [](int) { return true; },
    .is_group_of_session = [](int, int) { return false; },
    .signal_group = [](int, int) {},
    .terminal_lost = [](int, int) {},
};

}  // namespace

void install_job_control(const JobControl& control) { job_control = control; }
Tty* terminal_of_caller() { return job_control.terminal(); }

int Tty::session() {
    LockGuard guard(lock_);
    return session_;
}

int Tty::foreground_group() {
    LockGuard guard(lock_);
    return foreground_;
}

// Background processes that want to use their terminal are stopped; those that can't be get EIO
// when they read, and have their way otherwise.
Result<void> Tty::check_foreground(int signal) {
    JobControl::Caller caller = job_control.caller();
    {
        LockGuard guard(lock_);
        if (session_ == 0 || session_ != caller.session) return {};
        if (foreground_ == 0 || foreground_ == caller.group) return {};
    }
    if (job_control.blocks_or_ignores(signal)) {
        if (signal == kBackgroundRead) return Errno::io;
        return {};
    }
    if (job_control.is_orphaned(caller.group)) return Errno::io;
    job_control.signal_group(caller.group, signal);
    return Errno::restart;
}

// Only those whose controlling terminal this is may ask.
Result<int32_t> Tty::of_caller(int32_t value) {
    int own = session();
    if (own == 0 || own != job_control.caller().session) return Errno::notty;
    return value;
}

void Tty::opened(bool no_controlling_terminal) {
    if (!no_controlling_terminal) (void)become_controlling();
}

Result<int32_t> Tty::become_controlling() {
    JobControl::Caller caller = job_control.caller();
    if (caller.session == 0 || caller.process != caller.session) return Errno::perm;
    Tty* other = job_control.terminal();
    if (other == this) return 0;
    if (other) return Errno::perm;
    {
        LockGuard guard(lock_);
        if (session_) return Errno::perm;
        session_ = caller.session;
        foreground_ = caller.group;
    }
    job_control.set_terminal(caller.session, this);
    // It may have hung up in between.
    if (session() != caller.session) job_control.set_terminal(caller.session, nullptr);
    return 0;
}

Result<int32_t> Tty::give_up_controlling() {
    JobControl::Caller caller = job_control.caller();
    TRY(of_caller(0));
    if (caller.process == caller.session) session_ended(caller.session);
    return 0;
}

void Tty::session_ended(int session) {
    int foreground;
    {
        LockGuard guard(lock_);
        if (session == 0 || session_ != session) return;
        foreground = foreground_;
        session_ = foreground_ = 0;
    }
    job_control.set_terminal(session, nullptr);
    if (!foreground) return;
    job_control.signal_group(foreground, kHangUp);
    job_control.signal_group(foreground, kContinue);
}

uint32_t Tty::hang_ups() {
    LockGuard guard(lock_);
    return hang_ups_;
}

void Tty::hang_up() {
    int session, foreground;
    {
        LockGuard guard(lock_);
        session = std::exchange(session_, 0);
        foreground = std::exchange(foreground_, 0);
        ++hang_ups_;
        line_.flush_input();
        line_.stop_output(false);
        read_queue_.wake_all();
        write_queue_.wake_all();
    }
    if (session) job_control.terminal_lost(session, foreground);
}

Result<int32_t> Tty::set_foreground(int group) {
    JobControl::Caller caller = job_control.caller();
    TRY(of_caller(0));
    TRY(check_foreground(kBackgroundChange));
    if (group <= 0) return Errno::inval;
    if (!job_control.is_group_of_session(group, caller.session)) return Errno::perm;
    LockGuard guard(lock_);
    foreground_ = group;
    return 0;
}

void Tty::set_window_size(const WindowSize& size) {
    LockGuard guard(lock_);
    const bool changed = size.rows != window_.rows || size.columns != window_.columns;
    window_ = size;
    if (!changed) return;
    unsent_signals_ |= 1u << kWindowChanged;
    signal_queue_.wake_all();
}

void Tty::send_signals() {
    for (;;) {
        {
            LockGuard guard(lock_);
            signal_queue_.wait(lock_, [this]() NO_LOCK_ANALYSIS { return unsent_signals_ != 0; },
                               {.interruptible = false, .reason = "tty signals"});
        }
        send_waiting_signals();
    }
}

void Tty::send_waiting_signals() {
    uint32_t signals;
    int foreground;
    {
        LockGuard guard(lock_);
        signals = std::exchange(unsent_signals_, 0);
        foreground = foreground_;
    }
    for (int signal = 1; foreground && signal < 32; ++signal)
        if (signals >> signal & 1) job_control.signal_group(foreground, signal);
}
