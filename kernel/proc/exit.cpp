// exit, exit_group: the end of threads and processes. A process becomes a zombie until its parent
// has asked for its status (wait.cpp); its children get another one (orphans.cpp).
// Spec: _exit(2).
// Locks: process_tree for the family; nothing is freed while it is held.
#include "kernel/ipc/futex.hpp"
#include "kernel/ipc/ipc_object.hpp"
#include "kernel/lib/log.hpp"
#include "kernel/proc/job_control.hpp"
#include "kernel/proc/process_table.hpp"
#include "kernel/sched/jobs.hpp"
#include "kernel/sched/scheduler.hpp"
#include "kernel/trace/trace.hpp"
#include "mm/mm.hpp"

namespace {

// Locks: process_tree.
void wake_vfork_parent(Process& process) {
    process.left_parents_space = true;
    if (process.vfork_done) process.vfork_done->wake_all();
}

// Other threads look at these through /proc: they go under the lock, and are destroyed after it.
void release_resources(Process& process) {
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
    program_ends(process);
    release_resources(process);
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
        reparent_children(process);
        leave_thread(process, self);
        process.dead_threads.add(times_of(self));
        process.wait_status = status;
        process.life = Life::zombie;
        wake_vfork_parent(process);
        Process& parent = *process.parent;
        bool detached = process.exit_signal == kSigChld && ignores_children(parent);
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
        process_ended(process);
    }
    if (unwanted) Ref<Process>::adopt(unwanted);
}

}  // namespace

void leave_parents_space(Process& process) {
    LockGuard guard(process_tree);
    wake_vfork_parent(process);
}

// A thread leaves its program: threads that wait for it, or for a robust mutex of its, are woken.
void leave_user_memory(UserThread& self, int tid) {
    Process& process = *self.process;
    thread_leaves_program(self, tid);
    const UserPtr<int32_t> tid_word(std::exchange(self.clear_child_tid, 0));
    if (!tid_word) return;
    const bool watched = process.live_threads > 1 || process.space->ref_count() > 1;
    if (watched && write_user(tid_word, 0).is_ok()) futex_wake(tid_word.address(), 1);
}

namespace {

// The process has other threads and goes on.
void leave_threads(Process& process, UserThread& self, int status) REQUIRES(process_tree) {
    LockGuard guard(process.signal_lock);
    leave_thread(process, self);
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
        last = process.live_threads.subtract(1) == 0;
        if (!last) leave_threads(process, self, status);
        if (last) process.life = Life::exiting;
        // The process' status is its first thread's, unless all were told to end.
        if (process.leader_gone) status = process.leader_status;
        if (process.group_exit) status = process.group_exit_status;
    }
    self.pending.clear();
    if (last) end_process(process, status);
    thread_left(self);
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
