// Sending signals, and the state that decides what becomes of them. See signal.hpp.
// Locks: signal_lock of the target; callers that walk the table hold process_tree.
#include "kernel/proc/job_control.hpp"
#include "kernel/proc/process_table.hpp"
#include "kernel/sched/scheduler.hpp"

namespace {

constexpr SignalSet kStopSignals =
    signal_bit(kSigStop) | signal_bit(kSigTstp) | signal_bit(kSigTtin) | signal_bit(kSigTtou);
constexpr SignalSet kIgnoredByDefault =
    signal_bit(kSigChld) | signal_bit(kSigCont) | signal_bit(kSigUrg) | signal_bit(kSigWinch);

UserThread& user(Thread& thread) { return static_cast<UserThread&>(thread); }

bool ignored(const Process& process, int number) REQUIRES(process.signal_lock) {
    uint32_t handler = process.actions[number - 1].handler;
    if (handler == kHandlerIgnore) return true;
    if (handler != kHandlerDefault) return false;
    // Init gets only what it asked for.
    return (kIgnoredByDefault & signal_bit(number)) || &process == init_process;
}

// Not what the thread blocked before it began to wait for it.
bool ignored(const Process& process, const UserThread& thread, int number)
    REQUIRES(process.signal_lock) {
    if (thread.tracer.relaxed() && number != kSigKill) return false;  // it wants to know
    return !(thread.blocked_in_wait & signal_bit(number)) && ignored(process, number);
}

void discard(PendingSignals& pending, SignalSet which) {
    pending.set &= ~which;
    for (QueuedSignal& item : pending.queue)
        if (signal_bit(item.info.number) & which) {
            pending.queue.remove(item);
            delete &item;
        }
}

bool is_of_same_timer(const SignalInfo& a, const SignalInfo& b) {
    return a.number == b.number && a.code == b.code && a.fields[0] == b.fields[0];
}
void add_overrun(SignalInfo& waiting, const SignalInfo& info) {
    const uint64_t sum = uint64_t{waiting.fields[1]} + info.fields[1] + 1;
    waiting.fields[1] = sum > INT32_MAX ? INT32_MAX : static_cast<uint32_t>(sum);
}

// What a user's processes have waiting is bounded by the receiver's RLIMIT_SIGPENDING, but for the
// standard signals of the kernel and of kill(2), of which there is one each. Null: enough.
QueuedSignal* fresh_signal(const Process& to, const SignalInfo& info) {
    const bool bounded = info.number >= kFirstRealTime || info.code < 0;
    auto* item = new (std::nothrow) QueuedSignal;
    if (!item) return nullptr;
    const uint32_t most = bounded ? to.limits[limit_sigpending].soft : UINT32_MAX;
    if (UserAccount::charge(to.account->signals, 1, most))
        item->payer = to.account;
    else
        delete std::exchange(item, nullptr);
    return item;
}

// A standard signal is pending once; real-time ones queue. If it cannot queue only its number is kept,
// but for one that a program sent with sigqueue(): false.
bool add(const Process& to, PendingSignals& pending, const SignalInfo& info) {
    SignalSet bit = signal_bit(info.number);
    if (info.code == kSiTimer && (pending.set & bit))
        for (QueuedSignal& item : pending.queue)
            if (is_of_same_timer(item.info, info)) return add_overrun(item.info, info), true;
    if ((pending.set & bit) && info.number < kFirstRealTime) return true;
    QueuedSignal* item = fresh_signal(to, info);
    if (!item && info.number >= kFirstRealTime && info.code < 0 && info.code != kSiTimer &&
        info.code != kSiTkill)
        return false;
    pending.set |= bit;
    if (!item) return true;
    item->info = info;
    pending.queue.push_back(*item);
    return true;
}

// What sending a stop or continue signal does at once.
void stop_or_continue(Process& to, int number) REQUIRES(process_tree, to.signal_lock) {
    SignalSet bit = signal_bit(number);
    if (number == kSigKill)
        for (Thread& thread : to.threads) resume_thread(thread);
    if (number == kSigCont || number == kSigKill) {
        discard(to.pending, kStopSignals);
        for (Thread& thread : to.threads) discard(user(thread).pending, kStopSignals);
        if (to.stopped) {
            to.stopped = to.stop_unreported = false;
            to.continue_unreported = number == kSigCont;
            to.continue_to_report = number == kSigCont;
            to.resumed.wake_all();
        }
    } else if (bit & kStopSignals) {
        discard(to.pending, signal_bit(kSigCont));
        for (Thread& thread : to.threads) discard(user(thread).pending, signal_bit(kSigCont));
    }
}

// The thread that shall take a process' signal: one that doesn't block it, the first by choice.
UserThread* receiver(Process& process, int number) REQUIRES(process_tree) {
    for (Thread& thread : process.threads)
        if (!(user(thread).blocked & signal_bit(number))) return &user(thread);
    return nullptr;
}

bool may_signal(const Process& to, int number) {
    const Credentials& self = current_process().fs.credentials;
    const Credentials& other = to.fs.credentials;
    if (self.may(Capability::kill) || self.euid == other.suid || self.euid == other.uid ||
        self.uid == other.suid || self.uid == other.uid)
        return true;
    return number == kSigCont && to.sid == current_process().sid;
}

// After the locks: the parent of a process that SIGCONT resumed is told.
void tell_parent_if_continued(Process& to) REQUIRES(process_tree) {
    if (!std::exchange(to.continue_to_report, false)) return;
    report_to_parent(to, kCldContinued, kSigCont);
}

}  // namespace

Result<void> send_checked(Process& to, const SignalInfo& info) {
    if (!may_signal(to, info.number)) return Errno::perm;
    if (info.number == 0) return {};
    const bool sent = send_signal(to, info);
    tell_parent_if_continued(to);
    return sent ? Result<void>() : Errno::again;
}

// With signal_lock held.
void recalculate_pending(UserThread& thread) NO_LOCK_ANALYSIS {
    Process& process = *thread.process;
    thread.interrupt_pending = ((thread.pending.set | process.pending.set) & ~thread.blocked) ||
                               process.group_exit || process.exec_pending ||
                               (process.stopped && !thread.tracer.relaxed());
}

void PendingSignals::clear() { discard(*this, ~SignalSet(0)); }

SignalInfo signal_from_kernel(int number) {
    SignalInfo info;
    info.number = number;
    info.code = kSiKernel;
    return info;
}

SignalInfo signal_from_user(int number, int code) {
    SignalInfo info;
    info.number = number;
    info.code = code;
    info.fields[0] = static_cast<uint32_t>(current_process().pid);
    info.fields[1] = current_process().fs.credentials.uid;
    return info;
}

bool send_signal(Process& to, const SignalInfo& info) {
    LockGuard guard(to.signal_lock);
    if (to.life == Life::zombie) return true;
    stop_or_continue(to, info.number);
    UserThread* thread = receiver(to, info.number);
    if (thread && ignored(to, *thread, info.number)) return true;
    if (!add(to, to.pending, info)) return false;
    signal_added(to);
    if (thread) interrupt_thread(*thread);
    return true;
}

bool send_signal(UserThread& to, const SignalInfo& info) {
    Process& process = *to.process;
    LockGuard guard(process.signal_lock);
    stop_or_continue(process, info.number);
    bool blocked = to.blocked & signal_bit(info.number);
    if (!blocked && ignored(process, to, info.number)) return true;
    if (!add(process, to.pending, info)) return false;
    signal_added(process);
    if (!blocked) interrupt_thread(to);
    return true;
}

// No other CPU sees the child yet.
void copy_actions(Process& child, const Process& parent) NO_LOCK_ANALYSIS {
    LockGuard guard(parent.signal_lock);
    for (int i = 0; i < kSignals; ++i) child.actions[i] = parent.actions[i];
}

void raise_signal(int number) {
    LockGuard guard(process_tree);
    send_signal(current_thread(), signal_from_user(number));
}

void kill_process(Process& process) {
    LockGuard guard(process_tree);
    send_signal(process, signal_from_kernel(kSigKill));
}

void force_signal(const SignalInfo& info) {
    UserThread& self = current_thread();
    Process& process = current_process();
    LockGuard guard(process.signal_lock);
    SignalAction& action = process.actions[info.number - 1];
    if (action.handler == kHandlerIgnore || (self.blocked & signal_bit(info.number))) {
        action.handler = kHandlerDefault;
        self.blocked &= ~signal_bit(info.number);
    }
    discard(self.pending, signal_bit(info.number));
    add(process, self.pending, info);
    self.forced_signal = info.number;
    interrupt_thread(self);
}

void pass_signals_on(Process& process, SignalSet signals) {
    for (int number = 1; signals >> (number - 1) && number <= kSignals; ++number)
        if (signals & signal_bit(number))
            if (UserThread* thread = receiver(process, number)) interrupt_thread(*thread);
}

Result<void> kill_processes(int pid, const SignalInfo& info) {
    if (info.number < 0 || info.number > kSignals) return Errno::inval;
    LockGuard guard(process_tree);
    Process& self = current_process();
    if (pid > 0) {
        const UserThread* thread = find_thread_locked(pid);  // any of its threads names a process
        Process* to = thread ? thread->process : find_process_locked(pid);
        if (!to) return Errno::srch;
        return send_checked(*to, info);
    }
    int group = pid == 0 ? self.pgid : -pid;
    bool found = false, sent = false;
    for (Process& to : all_processes()) {
        if (pid == -1 ? &to == init_process || &to == &self : to.pgid != group) continue;
        found = true;
        sent |= send_checked(to, info).is_ok();
    }
    if (!found) return Errno::srch;
    if (!sent) return Errno::perm;
    return {};
}

Result<void> kill_thread(int tgid, int tid, const SignalInfo& info) {
    if (info.number < 0 || info.number > kSignals || tid <= 0) return Errno::inval;
    LockGuard guard(process_tree);
    // A first thread that has ended before the others takes no signals, but it is known.
    UserThread* thread = find_thread_locked(tid);
    Process* process = thread ? thread->process : find_process_locked(tid);
    if (!process || (tgid > 0 && process->pid != tgid)) return Errno::srch;
    if (!may_signal(*process, info.number)) return Errno::perm;
    if (!thread || !info.number) return {};
    const bool sent = send_signal(*thread, info);
    tell_parent_if_continued(*process);
    return sent ? Result<void>() : Errno::again;
}

void signal_group(int pgid, int number) {
    LockGuard guard(process_tree);
    for (Process& process : all_processes())
        if (process.pgid == pgid) {
            send_signal(process, signal_from_kernel(number));
            tell_parent_if_continued(process);
        }
}

Result<SignalAction> set_action(int number, const SignalAction* action) {
    if (number < 1 || number > kSignals) return Errno::inval;
    if (action && (signal_bit(number) & kUnblockable)) return Errno::inval;
    Process& process = current_process();
    LockGuard guard(process_tree);
    LockGuard signals(process.signal_lock);
    SignalAction old = process.actions[number - 1];
    if (action) {
        process.actions[number - 1] = *action;
        if (ignored(process, number)) {
            discard(process.pending, signal_bit(number));
            for (Thread& thread : process.threads)
                discard(user(thread).pending, signal_bit(number));
        }
    }
    return old;
}

SignalSet current_mask() { return current_thread().blocked; }

void set_mask(SignalSet mask) {
    UserThread& self = current_thread();
    Process& process = current_process();
    SignalSet left_to_others;
    {
        LockGuard guard(process.signal_lock);
        left_to_others = process.pending.set & mask & ~self.blocked & ~kUnblockable;
        self.blocked = mask & ~kUnblockable;
        recalculate_pending(self);
    }
    if (!left_to_others) return;
    LockGuard tree(process_tree);
    LockGuard guard(process.signal_lock);
    pass_signals_on(process, left_to_others & process.pending.set);
}

SignalSet pending_signals() {
    UserThread& self = current_thread();
    LockGuard guard(current_process().signal_lock);
    return (self.pending.set | current_process().pending.set) & self.blocked;
}

void set_temporary_mask(SignalSet mask) {
    UserThread& self = current_thread();
    if (!self.mask_saved) self.saved_mask = self.blocked;
    self.mask_saved = true;
    set_mask(mask);
}

void drop_temporary_mask() {
    UserThread& self = current_thread();
    if (!std::exchange(self.mask_saved, false)) return;
    set_mask(self.saved_mask);
}

bool signal_ignored_or_blocked(const Process& process, const UserThread& thread, int number) {
    LockGuard guard(process.signal_lock);
    return process.actions[number - 1].handler == kHandlerIgnore ||
           (thread.blocked & signal_bit(number));
}

bool take_signal(PendingSignals& pending, SignalSet allowed, SignalInfo& info) {
    SignalSet candidates = pending.set & allowed;
    if (!candidates) return false;
    // Faults first, as Linux does; then the lowest number.
    constexpr SignalSet kFaults = signal_bit(kSigSegv) | signal_bit(kSigBus) | signal_bit(kSigIll) |
                                  signal_bit(kSigTrap) | signal_bit(kSigFpe) | signal_bit(kSigSys);
    SignalSet from = candidates & kFaults ? candidates & kFaults : candidates;
    auto low = static_cast<uint32_t>(from);
    int number =
        low ? __builtin_ctz(low) + 1 : __builtin_ctz(static_cast<uint32_t>(from >> 32)) + 33;
    bool found = false, more = false;
    for (QueuedSignal& item : pending.queue) {
        if (item.info.number != number) continue;
        if (found) {
            more = true;
            break;
        }
        found = true;
        info = item.info;
        pending.queue.remove(item);
        delete &item;
    }
    if (!found) info = signal_from_kernel(number);
    signal_taken(current_process(), info);
    if (!more) pending.set &= ~signal_bit(number);
    return true;
}

Result<SignalInfo> wait_for_signal(SignalSet set, Nanoseconds deadline) {
    UserThread& self = current_thread();
    Process& process = current_process();
    set &= ~kUnblockable;
    SignalSet old = self.blocked;
    for (;;) {
        {
            LockGuard guard(process.signal_lock);
            SignalInfo info;
            if (take_signal(self.pending, set, info) || take_signal(process.pending, set, info)) {
                self.blocked = old;
                self.blocked_in_wait = 0;
                recalculate_pending(self);
                return info;
            }
            // While it waits the wanted signals wake it; a handler for others may run.
            self.blocked = old & ~set;
            self.blocked_in_wait = old;
            recalculate_pending(self);
        }
        bool expired = deadline.raw() && monotonic_now() >= deadline;
        Woken woken =
            expired ? Woken::timed_out : park({.deadline = deadline, .reason = "sigwait"});
        LockGuard guard(process.signal_lock);
        bool wanted = (self.pending.set | process.pending.set) & set;
        if (woken == Woken::condition || wanted) {
            if (!expired || wanted) continue;
        }
        self.blocked = old;
        self.blocked_in_wait = 0;
        recalculate_pending(self);
        return woken == Woken::timed_out ? Errno::again : Errno::intr;
    }
}
