// See tracee.hpp: where a tracee stops, and how its tracer learns of it. The calls are in ptrace.cpp.
#include "kernel/linux/tracee.hpp"

#include "kernel/arch/gate.hpp"
#include "kernel/arch/interrupts.hpp"
#include "kernel/arch/traps.hpp"
#include "kernel/lib/start_up.hpp"
#include "kernel/proc/job_control.hpp"
#include "kernel/proc/process_table.hpp"
#include "kernel/sched/scheduler.hpp"

void recalculate_pending(UserThread& thread);

namespace {

constexpr uint32_t kExitCall = 1, kExecCall = 11, kExitGroupCall = 252;
constexpr uint32_t kFailed = static_cast<uint32_t>(-static_cast<int32_t>(Errno::nosys));

void (*untraced_call)(TrapFrame& frame) = nullptr;

// --- stopping

bool must_die(const UserThread& self, bool at_exit) NO_LOCK_ANALYSIS {  // a look, at each call
    const Process& process = *self.process;
    if ((self.pending.set | process.pending.set) & signal_bit(kSigKill)) return true;
    return !at_exit && (process.group_exit || process.exec_pending);
}

void tell_tracer(Tracee& t, int tid, int code, int status) REQUIRES(process_tree) {
    SignalInfo info = child_information(*t.thread.process, code, status);
    info.fields[0] = static_cast<uint32_t>(tid);
    t.reported = false;
    send_signal(*t.tracer, info);
    t.tracer->child_change.wake_all();
}

SignalInfo info_of_stop(int what) {
    SignalInfo info = signal_from_kernel(what & 0x7f);
    info.code = what;
    info.fields[0] = static_cast<uint32_t>(current_process().pid);
    info.fields[1] = current_process().fs.credentials.uid;
    return info;
}

// The caller, a tracee, sleeps until its tracer lets it go on, ends or detaches; or SIGKILL comes.
void stop(Tracee& t, int what, const SignalInfo& info, bool at_exit = false) {
    UserThread& self = t.thread;
    if (std::exchange(t.stepping, false)) self.user_frame().eflags &= ~kFlagTrap;
    LockGuard guard(process_tree);
    if (!t.tracer) return;
    t.what = what;
    t.info = info;
    t.signal = 0;
    t.stopped = true;
    t.listening = t.stop_wanted = false;
    tell_tracer(t, self.tid, kCldTrapped, what);
    for (;;) {
        self.interrupt_pending = false;  // by other signals: deliver_signals() looks again
        if (must_die(self, at_exit)) t.stopped = false;
        if (t.listening && (t.stop_wanted || !self.process->stopped)) {
            t.listening = t.stop_wanted = false;
            t.what = kSigTrap | kEventStop << 8;
            tell_tracer(t, self.tid, kCldTrapped, t.what);
        }
        if (t.resumed.wait(process_tree, [&] { return !t.stopped; }, {.reason = kTracedWait}) ==
            Woken::condition)
            break;
    }
    // Not more than there is: a call that has yet to sleep must be able to.
    LockGuard signals(self.process->signal_lock);
    recalculate_pending(self);
    if (t.stop_wanted || (self.process->stopped && !t.goes_on)) self.interrupt_pending = true;
}

void stop_for_event(Tracee& t, uint32_t event, uint32_t message, bool at_exit = false) {
    t.message = message;
    const int what = kSigTrap | static_cast<int>(event) << 8;
    stop(t, what, info_of_stop(what), at_exit);
}

bool wants(const Tracee& t, uint32_t event) { return t.tracer && (t.options >> event & 1); }

// --- the hooks of kernel/proc; all are of the running thread

bool before_signals() NO_LOCK_ANALYSIS {
    Tracee& t = *tracee_of(current_thread());
    Process& process = current_process();
    if (t.stop_wanted && !process.stopped) stop_for_event(t, kEventStop, 0);
    if (!process.stopped) {
        t.goes_on = false;
    } else if (!t.goes_on) {
        const int what = process.stop_signal | (t.seized ? kEventStop << 8 : 0);
        stop(t, what, t.seized ? info_of_stop(what) : SignalInfo{});
        t.goes_on = true;
    }
    return t.goes_on && t.tracer;
}

// What the tracer lets the thread go on with; its own information if it is the same signal.
bool see_signal(SignalInfo& info, SignalAction& action) {
    Tracee& t = *tracee_of(current_thread());
    if (info.number == kSigKill) return true;
    stop(t, info.number, info);
    Process& process = current_process();
    LockGuard guard(process_tree);
    const int number = std::exchange(t.signal, 0);
    if (!number) return false;
    info = number == t.info.number ? t.info : signal_from_kernel(number);
    t.goes_on = false;
    LockGuard signals(process.signal_lock);
    action = process.actions[number - 1];
    return true;
}

// Before it runs. It stops first of all, and so does not miss its tracer.
void child_made(UserThread& child, uint32_t flags) {
    constexpr uint32_t kVfork = 0x4000, kUntraced = 0x800000;
    Tracee& t = *tracee_of(current_thread());
    const uint32_t event = flags & kVfork               ? kEventVfork
                           : (flags & 0xff) == kSigChld ? kEventFork
                                                        : kEventClone;
    t.event = 0;
    if (!wants(t, event) || (flags & kUntraced)) return;
    t.event = event;
    t.message = static_cast<uint32_t>(child.tid);
    const Ref<Process> tracer = kept(t.tracer);
    if (!tracer || begin_tracing(child, *tracer, t.seized, t.options).is_error()) return;
    child.tracer_is_superuser = current_thread().tracer_is_superuser;
    LockGuard guard(process_tree);
    if (t.seized)
        tracee_of(child)->stop_wanted = true;
    else
        send_signal(child, signal_from_kernel(kSigStop));
    child.interrupt_pending = true;
}

void child_started() {
    Tracee& t = *tracee_of(current_thread());
    if (const uint32_t event = std::exchange(t.event, 0)) stop_for_event(t, event, t.message);
}

bool matches(int pid, int tid, int group) {
    if (pid == 0) return group == current_process().pgid;
    return pid == -1 || (pid > 0 ? tid == pid : group == -pid);
}

bool find_news(int pid, uint32_t options, WaitOutcome& news, bool& any) {
    constexpr uint32_t kExited = 4, kNoWait = 0x01000000;
    auto* tracer = current_process().attached.get<Tracer>();
    if (!tracer) return false;
    for (DeadTracee& dead : tracer->dead) {
        if (!matches(pid, dead.news.pid, dead.group)) continue;
        any = true;
        if (!(options & kExited)) continue;
        news = dead.news;
        if (options & kNoWait) return true;
        tracer->dead.remove(dead);
        delete &dead;
        return true;
    }
    for (Tracee& t : tracer->tracees) {
        if (!matches(pid, t.thread.tid, t.thread.process->pgid)) continue;
        any = true;
        if (!t.stopped || t.reported) continue;
        news = {.pid = t.thread.tid,
                .status = t.what << 8 | 0x7f,
                .signal_code = kCldTrapped,
                .uid = t.thread.process->fs.credentials.uid,
                .times = {}};
        if (!(options & kNoWait)) t.reported = true;
        return true;
    }
    return false;
}

// --- calls

// Entry and exit of a call, the events that belong to one, and the call itself between them.
void traced_call(TrapFrame& frame) {
    UserThread& self = current_thread();
    if (!self.tracer.relaxed()) [[likely]]
        return untraced_call(frame);
    Tracee& t = *tracee_of(self);
    auto stop_at = [&](CallStop where) {
        if (!t.stops_at_calls || !t.tracer) return;
        const int what = kSigTrap | (t.options & kMarkCalls ? 0x80 : 0);
        t.at_call = where;
        stop(t, what, info_of_stop(what));
        t.at_call = CallStop::none;
        if (const int signal = std::exchange(t.signal, 0)) raise_signal(signal);
    };
    frame.eax = kFailed;
    stop_at(CallStop::entry);
    const uint32_t number = frame.error;  // the tracer may have changed it
    const bool stepped = t.stepping;
    const uint64_t program = self.process->program;
    if (number == kExitCall || number == kExitGroupCall)
        t.exit_status = static_cast<int>(frame.ebx & 0xff) << 8;
    const int old_tid = self.tid;
    if (!must_die(self, false) && number != UINT32_MAX) {
        frame.eax = number;
        untraced_call(frame);
    }
    if (self.process->program != program) {  // it has become another one
        frame.vector = kVectorSystemCall;
        frame.error = kExecCall;
        t.watched = {};  // it was the old program's; a switch from here on loads nothing
        load_debug_registers(nullptr);
        self.debug_registers = nullptr;
        if (wants(t, kEventExec))
            stop_for_event(t, kEventExec, static_cast<uint32_t>(old_tid));
        else if (!t.seized)
            raise_signal(kSigTrap);
    }
    stop_at(CallStop::exit);
    if (stepped && t.stepping && t.tracer) {  // INT n hid the trap flag from the CPU
        SignalInfo info = signal_from_kernel(kSigTrap);
        info.code = 2;
        info.fields[0] = frame.eip;
        force_signal(info);
    }
}

// --- the end of a tracee, and of a tracer

void thread_leaves(UserThread& self, int tid) {
    Tracee* t = tracee_of(self);
    if (!t) return;
    Process& process = *self.process;
    const TrapFrame& frame = self.user_frame();
    if (frame.vector == kVectorSystemCall && frame.error == kExecCall && !process.group_exit &&
        !process.exec_pending)
        return;  // it goes on, as another program
    const int status = process.group_exit ? process.group_exit_status : t->exit_status;
    if (wants(*t, kEventExit)) stop_for_event(*t, kEventExit, static_cast<uint32_t>(status), true);
    LockGuard guard(process_tree);
    Process* tracer = t->tracer;
    if (!tracer) return;
    const int code = signal_code_of(status);
    const bool own_child = tid == process.pid && process.parent == tracer;
    if (!own_child && t->grave) {
        t->grave->group = process.pgid;
        t->grave->news = {.pid = tid, .status = status, .signal_code = code, .uid = 0, .times = {}};
        tracer->attached.get<Tracer>()->dead.push_back(*t->grave.leak());
    }
    if (!own_child) tell_tracer(*t, tid, code, status);
    end_tracing(*t, 0);
}

void tracer_ends(Process& process) {
    auto* tracer = process.attached.get<Tracer>();
    LockGuard guard(process_tree);
    if (!tracer || process.life == Life::alive) return;
    for (Tracee* t; (t = tracer->tracees.front());) {
        const bool dies = t->options & kKillOnExit;
        end_tracing(*t, 0);
        if (dies) send_signal(*t->thread.process, signal_from_kernel(kSigKill));
    }
}

constinit HookList<UserThread&, int>::Hook leaves_hook{thread_leaves};
constinit HookList<Process&>::Hook ends_hook{tracer_ends};

void tracing_init() {
    thread_leaves_program.add(leaves_hook);
    program_ends.add(ends_hook);
}
AT_START_UP(tracing_init);

// From the first tracee on; a machine without costs nothing.
void install_hooks() {
    if (untraced_call) return;
    untraced_call = trap_hooks.system_call;
    tracing_hooks = {.before_signals = before_signals,
                     .signal = see_signal,
                     .child_made = child_made,
                     .child_started = child_started,
                     .news = find_news};
    trap_hooks.system_call = traced_call;
}

}  // namespace

Tracer::~Tracer() {
    while (DeadTracee* each = dead.pop_front()) delete each;
}

Ref<Process> kept(Process* const& process) {
    LockGuard guard(process_tree);
    return Ref<Process>(process);
}

Tracee* tracee_of(const UserThread& thread) { return thread.attached.get<Tracee>(); }

Result<void> begin_tracing(UserThread& thread, Process& tracer, bool seized, uint32_t options) {
    Tracee* t = TRY(thread.attached.get_or_make<Tracee>(thread));
    Tracer* by = TRY(tracer.attached.get_or_make<Tracer>());
    Box<DeadTracee> grave = TRY(make_box<DeadTracee>());
    LockGuard guard(process_tree);
    install_hooks();
    if (t->tracer || tracer.life != Life::alive) return Errno::perm;
    t->tracer = &tracer;
    t->grave = std::move(grave);
    t->options = options;
    t->seized = seized;
    t->stops_at_calls = t->stepping = t->stop_wanted = t->goes_on = t->stopped = false;
    by->tracees.push_back(*t);
    thread.tracer = tracer.pid;
    thread.tracer_is_superuser = tracer.fs.credentials.may(Capability::sys_ptrace);
    return {};
}

void end_tracing(Tracee& t, int signal) {
    t.tracer->attached.get<Tracer>()->tracees.remove(t);
    t.tracer = nullptr;
    t.thread.tracer = 0;
    t.goes_on = false;
    t.watched.control = 0;
    resume(t, false, false, signal);
    if (&t.thread != &Thread::current()) interrupt_thread(t.thread);  // its process may be stopped
}

void resume(Tracee& t, bool stops_at_calls, bool steps, int signal) {
    t.stops_at_calls = stops_at_calls;
    t.signal = signal;
    if (!t.stopped) return;
    t.stepping = steps;
    if (steps) t.thread.user_frame().eflags |= kFlagTrap;
    t.stopped = false;
    t.resumed.wake_all();
}
