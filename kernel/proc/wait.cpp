// wait: what a parent learns of its children: that they ended, stopped or continued.
// Spec: wait4(2).
// Locks: process_tree for the family; nothing is freed while it is held.
#include "kernel/proc/job_control.hpp"
#include "kernel/proc/process_table.hpp"

namespace {

constexpr uint32_t kNoHang = 1, kUntraced = 2, kExited = 4, kContinued = 8, kNoWait = 0x01000000,
                   kAllChildren = 0x40000000, kCloneChildren = 0x80000000;

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

// Locks: process_tree. The zombie's last traces; its table reference goes to the caller.
void unlink_zombie(Process& zombie) {
    if (zombie.parent) zombie.parent->children.remove(zombie);
    leave_table(zombie);
}

// A stop or continuation of `child`, for its parent. Locks: process_tree.
void report_to_parent(Process& child, int code, int status) {
    if (!child.parent) return;
    if (!(child.parent->actions[kSigChld - 1].flags & kSaNoChildStop))
        send_signal(*child.parent, child_information(child, code, status));
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
    auto look = [&] {
        any_child = false;
        for (Process& child : self.children) {
            if (!matches(child, pid, self) || !is_asked_for(child, options)) continue;
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
