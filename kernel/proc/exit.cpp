// exit, exit_group, wait: the end of threads and processes, and what the parent learns of it.
// Spec: _exit(2), wait4(2).
// Locks: process_tree for the family; nothing is freed while it is held.
#include "kernel/ipc/futex.hpp"
#include "kernel/ipc/ipc_object.hpp"
#include "kernel/ipc/robust_list.hpp"
#include "kernel/lib/log.hpp"
#include "kernel/proc/job_control.hpp"
#include "kernel/proc/process_table.hpp"
#include "kernel/sched/jobs.hpp"
#include "kernel/sched/scheduler.hpp"
#include "kernel/trace/trace.hpp"
#include "mm/mm.hpp"

namespace {

constexpr uint32_t kNoHang = 1, kUntraced = 2, kExited = 4, kContinued = 8, kNoWait = 0x01000000;

// Locks: process_tree.
void wake_vfork_parent(Process& process) {
    process.left_parents_space = true;
    if (process.vfork_done) process.vfork_done->wake_all();
}

int signal_code_of(int status) {
    return (status & 0x7f) == 0 ? kCldExited : status & 0x80 ? kCldDumped : kCldKilled;
}

SignalInfo child_information(const Process& child, int code, int status) {
    SignalInfo info = signal_from_kernel(kSigChld);
    info.code = code;
    info.fields[0] = static_cast<uint32_t>(child.pid);
    info.fields[1] = child.fs.credentials.uid;
    info.fields[2] = static_cast<uint32_t>(status);
    return info;
}

// Locks: process_tree. The nearest ancestor that asked for orphans (prctl), or init.
Process& new_parent(const Process& dying) {
    for (Process* at = dying.parent; at; at = at->parent)
        if (at->subreaper && at->life == Life::alive) return *at;
    return *init_process;
}

// Locks: process_tree. A group that thereby loses its last outside parent and has stopped members
// gets SIGHUP and SIGCONT.
void hand_children_on(Process& dying) {
    Process& heir = new_parent(dying);
    while (Process* child = dying.children.pop_front()) {
        child->parent = &heir;
        __atomic_store_n(&child->parent_pid, heir.pid, __ATOMIC_RELAXED);
        heir.children.push_back(*child);
        if (child->death_signal) {
            SignalInfo info = signal_from_user(child->death_signal);
            send_signal(*child, info);
        }
        if (child->life == Life::zombie) heir.child_change.wake_all();
        if (child->stopped && child->pgid != dying.pgid && group_is_orphaned(child->pgid)) {
            send_signal(*child, signal_from_kernel(kSigHup));
            send_signal(*child, signal_from_kernel(kSigCont));
        }
    }
}

bool parent_ignores_children(const Process& parent) {
    const SignalAction& action = parent.actions[kSigChld - 1];
    return action.handler == kHandlerIgnore || (action.flags & kSaNoChildWait);
}

// Locks: process_tree. The zombie's last traces; its table reference goes to the caller.
void unlink_zombie(Process& zombie) {
    if (zombie.parent) zombie.parent->children.remove(zombie);
    leave_table(zombie);
}

// What others look at through /proc goes under the lock, and is destroyed after it.
void give_up_possessions(Process& process) {
    Ref<AddressSpace> space;
    Ref<FdTable> files;
    Path cwd, root, executable;
    Ref<RefCounted> running;
    LockGuard guard(process_tree);
    process.dead_threads.note_peak(process.space.get());
    space = std::move(process.space);
    files = std::move(process.files);
    cwd = std::move(process.fs.cwd);
    root = std::move(process.fs.root);
    executable = std::move(process.executable);
    running = std::move(process.running);
}

void end_process(Process& process, int status) {
    UserThread& self = current_thread();
    trace<TraceType::exit_event>(static_cast<uint32_t>(process.pid), static_cast<uint32_t>(status));
    cancel_timer(process.real_timer);
    process.timers.remove_all();
    give_up_possessions(process);
    sysv_process_gone(process.pid);
    if (&process == init_process) {
        log_error("init ended (status {}): nothing is left to run", status);
        init_ended(status);
    }
    session_leader_leaves(process);

    Process* unwanted = nullptr;
    {
        LockGuard guard(process_tree);
        if (!process.leader_gone)
            __builtin_memcpy(process.last_name, self.name, sizeof process.last_name);
        hand_children_on(process);
        process.threads.remove(self);
        --process.thread_count;
        process.dead_threads.add(times_of(self));
        process.wait_status = status;
        process.life = Life::zombie;
        wake_vfork_parent(process);
        Process& parent = *process.parent;
        bool detached = process.exit_signal == kSigChld && parent_ignores_children(parent);
        if (process.exit_signal > 0 && process.exit_signal <= kSignals) {
            SignalInfo info = child_information(process, signal_code_of(status),
                                                status & 0x7f ? status & 0x7f : status >> 8);
            info.number = process.exit_signal;
            send_signal(parent, info);
        }
        if (detached) {
            unlink_zombie(process);
            unwanted = &process;
        }
        parent.child_change.wake_all();
    }
    if (unwanted) Ref<Process>::adopt(unwanted);
}

bool matches(const Process& child, int pid, const Process& self) {
    if (pid > 0) return child.pid == pid;
    if (pid == 0) return child.pgid == self.pgid;
    return pid == -1 || child.pgid == -pid;
}

// Locks: process_tree. Whether `child` has something to report under `options`.
bool has_news(const Process& child, uint32_t options) {
    if (child.life == Life::zombie) return options & kExited;
    if (child.stopped) return (options & kUntraced) && child.stop_unreported;
    return (options & kContinued) && child.continue_unreported;
}

WaitOutcome take_news(Process& child, uint32_t options, Process*& reaped) {
    WaitOutcome news;
    news.pid = child.pid;
    news.uid = child.fs.credentials.uid;
    news.times = child.dead_threads;
    for (Thread& thread : child.threads) news.times.add(times_of(thread));
    bool keep = options & kNoWait;
    if (child.life == Life::zombie) {
        news.times.add(child.dead_children);
        news.status = child.wait_status;
        news.signal_code = signal_code_of(child.wait_status);
        if (keep) return news;
        current_process().dead_children.add(news.times);
        unlink_zombie(child);
        reaped = &child;
    } else if (child.stopped) {
        news.status = child.stop_signal << 8 | 0x7f;
        news.signal_code = kCldStopped;
        if (!keep) child.stop_unreported = false;
    } else {
        news.status = 0xffff;
        news.signal_code = kCldContinued;
        if (!keep) child.continue_unreported = false;
    }
    return news;
}

}  // namespace

// A stop or continuation of `child`, for its parent. Locks: process_tree.
void report_to_parent(Process& child, int code, int status) {
    if (!child.parent) return;
    if (!(child.parent->actions[kSigChld - 1].flags & kSaNoChildStop))
        send_signal(*child.parent, child_information(child, code, status));
    child.parent->child_change.wake_all();
}

void leave_parents_space(Process& process) {
    LockGuard guard(process_tree);
    wake_vfork_parent(process);
}

// A thread leaves its program: who waits for it or for what it holds is told.
void leave_user_memory(UserThread& self, int tid) {
    Process& process = *self.process;
    if (const uint32_t head = std::exchange(self.robust_list, 0)) release_robust_list(head, tid);
    const UserPtr<int32_t> tid_word(std::exchange(self.clear_child_tid, 0));
    if (!tid_word) return;
    const bool watched = process.live_threads > 1 || process.space->ref_count() > 1;
    if (watched && write_user(tid_word, 0).is_ok()) futex_wake(tid_word.address(), 1);
}

namespace {

// Others go on. Locks: process_tree.
void leave_threads(Process& process, UserThread& self, int status) {
    LockGuard guard(process.signal_lock);
    process.threads.remove(self);
    --process.thread_count;
    process.dead_threads.add(times_of(self));
    if (self.tid == process.pid) {
        process.leader_gone = true;
        process.leader_status = status;
        process.dead_leader = times_of(self);
        __builtin_memcpy(process.last_name, self.name, sizeof process.last_name);
    }
    pass_signals_on(process, process.pending.set & ~self.blocked);
    process.thread_gone.wake_all();
}

}  // namespace

void exit_current_thread(int status) {
    UserThread& self = current_thread();
    Process& process = current_process();
    leave_user_memory(self, self.tid);
    use_kernel_address_space(self);  // others may drop the last reference from here on
    bool last;
    {
        LockGuard guard(process_tree);
        last = --process.live_threads == 0;
        if (last)
            process.life = Life::exiting;
        else
            leave_threads(process, self, status);
    }
    self.pending.clear();
    // The process' status is its first thread's, unless all were told to end.
    if (last)
        end_process(process, process.group_exit    ? process.group_exit_status
                             : process.leader_gone ? process.leader_status
                                                   : status);
    thread_left();
    if (last && process.is_job) job_ended();
    exit_thread();
}

void exit_group(int status) {
    Process& process = current_process();
    {
        LockGuard guard(process_tree);
        LockGuard signals(process.signal_lock);
        if (!process.group_exit) {
            process.group_exit = true;
            process.group_exit_status = status;
        }
        for (Thread& thread : process.threads)
            if (&thread != &Thread::current()) interrupt_thread(thread);
        process.resumed.wake_all();
    }
    exit_current_thread(status);
}

Result<WaitOutcome> wait_for_child(int pid, uint32_t options) {
    if (options & ~(kNoHang | kUntraced | kExited | kContinued | kNoWait)) return Errno::inval;
    Process& self = current_process();
    Process* reaped = nullptr;
    WaitOutcome news;
    bool any_child = false;
    auto look = [&] {
        any_child = false;
        for (Process& child : self.children) {
            if (!matches(child, pid, self)) continue;
            any_child = true;
            if (!has_news(child, options)) continue;
            news = take_news(child, options, reaped);
            return true;
        }
        return !any_child || (options & kNoHang) != 0;
    };
    Woken woken;
    {
        LockGuard guard(process_tree);
        woken = self.child_change.wait(process_tree, look, {.reason = "wait"});
    }
    if (reaped) Ref<Process>::adopt(reaped);
    if (woken == Woken::interrupted) return Errno::restart;
    if (!news.pid && !any_child) return Errno::child;
    return news;
}
