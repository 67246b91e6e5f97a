// wait: what a parent learns of its children: that they ended, stopped or continued.
// Spec: wait4(2).
// Locks: process_tree for the family; nothing is freed while it is held.
#include "kernel/proc/job_control.hpp"
#include "kernel/proc/process_table.hpp"

namespace {

constexpr uint32_t kNoHang = 1, kUntraced = 2, kExited = 4, kContinued = 8, kNoWait = 0x01000000,
                   kAllChildren = 0x40000000, kCloneChildren = 0x80000000;

// Whether wait4's `pid` means this child: -1 means each, a number above 0 the one that has it; 0 those of
// the caller's own group (pgid), -n those of group n.
// Lab 3.3: stub { (void)self; return pid <= 0 || child.pid == pid; }
bool matches(const Process& child, int pid, const Process& self) {
    if (pid > 0) return child.pid == pid;
    if (pid == 0) return child.pgid == self.pgid;
    return pid == -1 || child.pgid == -pid;
}

// "Clone children" end with another signal than SIGCHLD, or none.
bool is_asked_for(const Process& child, uint32_t options) {
    const bool wants_clones = options & kCloneChildren;
    return (options & kAllChildren) || wants_clones == (child.exit_signal != kSigChld);
}

// Whether `child` has something to report under `options`: its end (kExited); a stop
// (kUntraced) or that it goes on (kContinued), each once: until then stop_unreported or continue_unreported.
// Lab 3.3: stub { return child.life == Life::zombie && (options & kExited); }
bool has_news(const Process& child, uint32_t options) REQUIRES(process_tree) {
    if (child.life == Life::zombie) return options & kExited;
    if (child.stopped) return (options & kUntraced) && child.stop_unreported;
    return (options & kContinued) && child.continue_unreported;
}

// What wait4 says of a child that has news, in one word (wait_status.hpp): of a zombie the wait_status that
// it left; of one that is stopped its stop_signal; of one that goes on, just that.
// Lab 3.3: stub { return child.wait_status; }
int reported_status(const Process& child) REQUIRES(process_tree) {
    if (child.life == Life::zombie) return child.wait_status;
    return child.stopped ? child.stop_signal << 8 | 0x7f : 0xffff;
}

// The news has been told. A stop or continuation is then no news any more. A zombie's CPU time, `times`,
// is added to that of the caller's dead children (current_process().dead_children.add()), and it is
// buried: unlink_zombie(), and `reaped` points at it.
// Lab 3.3: stub { (void)times; if (child.life == Life::zombie) { unlink_zombie(child); reaped = &child; } }
void settle(Process& child, const CpuTimes& times, Process*& reaped) REQUIRES(process_tree) {
    if (child.life == Life::zombie) {
        current_process().dead_children.add(times);
        unlink_zombie(child);
        reaped = &child;
    } else if (child.stopped) {
        child.stop_unreported = false;
    } else {
        child.continue_unreported = false;
    }
}

// Its debugger learns of its stops in another way.
bool is_traced_by(const Process& child, const Process& self) REQUIRES(process_tree) {
    const Thread* first = child.threads.front();
    return first && static_cast<const UserThread*>(first)->tracer.relaxed() == self.pid;
}

WaitOutcome take_news(Process& child, uint32_t options, Process*& reaped) REQUIRES(process_tree) {
    WaitOutcome news;
    news.pid = child.pid;
    news.uid = child.fs.credentials.uid;
    news.times = child.dead_threads;
    for (Thread& thread : child.threads) news.times.add(times_of(thread));
    const bool ended = child.life == Life::zombie;
    if (ended) news.times.add(child.dead_children);
    news.status = reported_status(child);
    news.signal_code = ended           ? signal_code_of(child.wait_status)
                       : child.stopped ? kCldStopped
                                       : kCldContinued;
    if (!(options & kNoWait)) settle(child, news.times, reaped);
    return news;
}

}  // namespace

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

// The zombie's last traces; its table reference goes to the caller.
void unlink_zombie(Process& zombie) REQUIRES(process_tree) {
    if (zombie.parent) zombie.parent->children.remove(zombie);
    leave_table(zombie);
}

// A stop or continuation of `child`, for its parent. Locks: process_tree.
void report_to_parent(Process& child, int code, int status) {
    if (!child.parent) return;
    child.parent->signal_lock.lock();
    const bool silent = child.parent->actions[kSigChld - 1].flags & kSaNoChildStop;
    child.parent->signal_lock.unlock();
    if (!silent) send_signal(*child.parent, child_information(child, code, status));
    child.parent->child_change.wake_all();
}

Result<WaitOutcome> wait_for_child(int pid, uint32_t options) {
    if (options &
        ~(kNoHang | kUntraced | kExited | kContinued | kNoWait | kAllChildren | kCloneChildren))
        return Errno::inval;
    Process& self = current_process();
    Process* reaped = nullptr;
    WaitOutcome news;
    bool any_child = false;
    auto look = [&]() REQUIRES(process_tree) {
        any_child = false;
        if (tracing_hooks.news && tracing_hooks.news(pid, options, news, any_child)) return true;
        // One that is asked for by its number is found by that.
        Process* at = pid > 0 ? find_process_locked(pid) : self.children.front();
        if (at && at->parent != &self) at = nullptr;
        for (; at; at = pid > 0 ? nullptr : self.children.next(*at)) {
            Process& child = *at;
            if (!matches(child, pid, self) || !is_asked_for(child, options)) continue;
            any_child = true;
            if (child.life != Life::zombie && is_traced_by(child, self))
                continue;  // news of another kind
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
