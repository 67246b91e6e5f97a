// Whom a process leaves behind when it ends: its children get another parent, and its own parent may
// not want to hear of it.
// Spec: _exit(2); PR_SET_CHILD_SUBREAPER in prctl(2); SIG_IGN and SA_NOCLDWAIT of SIGCHLD in sigaction(2).
// Locks: process_tree, for all of it.
#include "kernel/proc/job_control.hpp"
#include "kernel/proc/process_table.hpp"

namespace {

// The parent that the children of `dying` get: its nearest ancestor (parent, the parent's parent, ...)
// that has asked for orphans (subreaper) and is alive itself (life); if there is none, init.
// Lab 3.2: stub { (void)dying; return *init_process; }
Process& new_parent(const Process& dying) REQUIRES(process_tree) {
    for (Process* at = dying.parent; at; at = at->parent)
        if (at->subreaper && at->life == Life::alive) return *at;
    return *init_process;
}

// `child`, which is on no list of children now, becomes one of `adopter`: `parent`, the `parent_pid` that
// getppid() reads without a lock, and the list. A zombie is news for its new parent, which may sleep in
// wait (child_change.wake_all()).
// Lab 3.2: stub { child.parent = &adopter; adopter.children.push_back(child); }
void adopt(Process& adopter, Process& child) REQUIRES(process_tree) {
    child.parent = &adopter;
    child.parent_pid.store_relaxed(adopter.pid);
    adopter.children.push_back(child);
    if (child.life == Life::zombie) adopter.child_change.wake_all();
}

}  // namespace

// Whether `parent` does not want to wait for its children, so that they end without a trace: it ignores
// SIGCHLD (actions[kSigChld - 1].handler is kHandlerIgnore), or has said so (kSaNoChildWait in its flags).
// Lab 3.2: stub { (void)parent; return false; }
bool ignores_children(const Process& parent) {
    LockGuard guard(parent.signal_lock);
    const SignalAction& action = parent.actions[kSigChld - 1];
    return action.handler == kHandlerIgnore || (action.flags & kSaNoChildWait);
}

// A group that thereby loses its last outside parent and has stopped members gets SIGHUP and SIGCONT.
void reparent_children(Process& dying) {
    Process& adopter = new_parent(dying);
    while (Process* child = dying.children.pop_front()) {
        adopt(adopter, *child);
        if (child->death_signal) {
            SignalInfo info = signal_from_user(child->death_signal);
            send_signal(*child, info);
        }
        if (child->stopped && child->pgid != dying.pgid && group_is_orphaned(child->pgid)) {
            send_signal(*child, signal_from_kernel(kSigHup));
            send_signal(*child, signal_from_kernel(kSigCont));
        }
    }
}
