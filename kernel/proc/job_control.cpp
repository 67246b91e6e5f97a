// See job_control.hpp. Spec: POSIX.1-2017, 11.1 (terminal access control), _exit (consequences).
#include "kernel/proc/job_control.hpp"

#include "drivers/host_link.hpp"
#include "drivers/power.hpp"
#include "drivers/tty.hpp"
#include "kernel/boot_state.hpp"
#include "kernel/proc/process_table.hpp"
#include "kernel/sched/scheduler.hpp"

namespace {

JobControl::Caller caller() {
    if (!Thread::current().process) return {0, 0, 0};
    LockGuard guard(process_tree);
    Process& self = current_process();
    return {self.pid, self.pgid, self.sid};
}

Tty* terminal() { return Thread::current().process ? current_process().terminal : nullptr; }

void set_terminal(int session, Tty* terminal) {
    LockGuard guard(process_tree);
    for (Process& process : all_processes())
        if (process.sid == session) process.terminal = terminal;
}

bool blocks_or_ignores(int signal) {
    return signal_ignored_or_blocked(current_process(), current_thread(), signal);
}

void terminal_lost(int session, int foreground) {
    LockGuard guard(process_tree);
    for (Process& process : all_processes())
        if (process.sid == session) process.terminal = nullptr;
    Process* leader = find_process_locked(session);
    if (!leader || leader->sid != session) return;
    leader->lost_foreground = foreground;
    send_signal(*leader, signal_from_kernel(kSigHup));
    send_signal(*leader, signal_from_kernel(kSigCont));
}

bool is_orphaned(int group) {
    LockGuard guard(process_tree);
    return group_is_orphaned(group);
}

bool is_group_of_session(int group, int session) {
    LockGuard guard(process_tree);
    for (Process& process : all_processes())
        if (process.pgid == group && process.sid == session) return true;
    return false;
}

}  // namespace

void job_control_init() {
    install_job_control({.caller = caller,
                         .terminal = terminal,
                         .set_terminal = set_terminal,
                         .blocks_or_ignores = blocks_or_ignores,
                         .is_orphaned = is_orphaned,
                         .is_group_of_session = is_group_of_session,
                         .signal_group = signal_group,
                         .terminal_lost = terminal_lost});
}

void session_leader_leaves(Process& process) {
    if (process.sid != process.pid) return;
    if (const int lost = std::exchange(process.lost_foreground, 0)) {
        signal_group(lost, kSigHup);
        signal_group(lost, kSigCont);
    }
    if (!process.terminal) return;
    Tty* terminal = process.terminal;
    terminal->session_ended(process.sid);
    set_terminal(process.sid, nullptr);
}

void init_ended(int) {
    if (boot_options().exec) {
        vfs_stop();
        power_off();
    }
    for (;;) park({.interruptible = false, .reason = "init has ended"});
}
