// fork, vfork, clone: a new process or thread that continues where the caller was. A PCB is
// copied, then a TCB; then others may see it; then it may run.
// Locks: what may fail or sleep comes first; then, under process_tree, the new one becomes visible.
// Spec: clone(2), Linux i386.
#include "kernel/arch/fpu.hpp"
#include "kernel/proc/process_table.hpp"
#include "kernel/proc/segments.hpp"
#include "kernel/proc/thread_limits.hpp"
#include "kernel/sched/jobs.hpp"
#include "kernel/sched/policy_control.hpp"
#include "kernel/sched/scheduler.hpp"
#include "kernel/trace/trace.hpp"

extern "C" [[noreturn]] void enter_user(TrapFrame& frame);

namespace {

constexpr uint32_t kCloneVm = 0x100, kCloneFs = 0x200, kCloneFiles = 0x400, kCloneSigHand = 0x800,
                   kClonePidFd = 0x1000, kCloneVfork = 0x4000, kCloneParent = 0x8000,
                   kCloneThread = 0x10000, kCloneNewNamespaces = 0x7e020000, kCloneSetTls = 0x80000,
                   kCloneParentSetTid = 0x100000, kCloneChildClearTid = 0x200000,
                   kCloneChildSetTid = 0x1000000;

void start_in_user(void*) {
    UserThread& self = current_thread();
    if (self.set_child_tid)
        static_cast<void>(write_user(UserPtr<int32_t>(self.set_child_tid), self.tid));
    if (self.interrupt_pending) deliver_signals(self.user_frame());
    disable_interrupts();
    enter_user(self.user_frame());
}

Result<void> check_flags(uint32_t flags) {
    if ((flags & kCloneThread) && !(flags & kCloneSigHand)) return Errno::inval;
    if ((flags & kCloneSigHand) && !(flags & kCloneVm)) return Errno::inval;
    // Sharing the working directory or the actions between processes is not offered.
    if (!(flags & kCloneThread) && (flags & (kCloneFs | kCloneSigHand))) return Errno::inval;
    if (flags & (kCloneNewNamespaces | kClonePidFd)) return refuse_name_spaces(flags);
    // Init has no siblings.
    if ((flags & kCloneParent) && &current_process() == init_process) return Errno::inval;
    return {};
}

// The PCB of a new process: copies of what the parent has, or shares of it.
Result<Ref<Process>> copy_process(Process& parent, uint32_t flags) {
    Ref<Process> made = TRY(make_ref<Process>());
    Process& child = *made;
    child.space = flags & kCloneVm ? parent.space : TRY(parent.space->fork());
    child.files = flags & kCloneFiles ? parent.files : TRY(parent.files->clone());
    child.fs.root = root_directory(parent.fs);
    child.fs.cwd = working_directory(parent.fs);
    child.fs.credentials = parent.fs.credentials;
    child.fs.umask = parent.fs.umask;
    child.executable = parent.executable;
    child.running = parent.running;
    child.account = parent.account;
    for (uint32_t i = 0; i < limit_count; ++i) child.limits[i] = parent.limits[i];
    copy_actions(child, parent);
    child.arguments_start = parent.arguments_start;
    child.arguments_end = parent.arguments_end;
    child.environment_start = parent.environment_start;
    child.environment_end = parent.environment_end;
    child.auxiliary_start = parent.auxiliary_start;
    child.personality = parent.personality;
    child.no_new_privileges = parent.no_new_privileges;
    child.dumpable = parent.dumpable;
    child.out_of_memory_bias.store_relaxed(parent.out_of_memory_bias.relaxed());
    child.lowest_bias.store_relaxed(parent.lowest_bias.relaxed());
    child.exit_signal = flags & kCloneParent ? parent.exit_signal : static_cast<int>(flags & 0xff);
    child.start_time = monotonic_now();
    for (CopyHook* hook = process_copied; hook; hook = hook->next) TRY(hook->call(parent, child));
    return made;
}

// The TCB: the new thread returns from the same system call, with 0.
Result<void> copy_thread(UserThread& child, const UserThread& parent, const TrapFrame& frame,
                         const CloneArguments& arguments) {
    const uint32_t flags = arguments.flags;
    Process& process = *child.owner;
    child.process = &process;
    child.space = process.space.get();
    child.page_directory = process.space->page_directory();
    child.local_descriptors = &process.space->local_descriptors();
    child.blocked = parent.blocked;
    child.timer_slack = child.default_slack = parent.timer_slack;
    child.io_priority = parent.io_priority;
    inherit_scheduling(child, parent);
    for (int i = 0; i < 3; ++i) child.tls[i] = parent.tls[i];
    fpu_save(child.fpu);
    __builtin_memcpy(child.name, parent.name, sizeof child.name);
    // A thread, and a process that runs on in the parent's memory, needs a signal stack of its own.
    const bool own_memory = !(flags & kCloneVm) || (flags & kCloneVfork);
    if (!(flags & kCloneThread) && own_memory) child.alternate_stack = parent.alternate_stack;
    if (flags & kCloneChildSetTid) child.set_child_tid = arguments.child_tid;
    if (flags & kCloneChildClearTid) child.clear_child_tid = arguments.child_tid;
    TrapFrame& child_frame = child.user_frame() = frame;
    child_frame.eax = 0;
    if (arguments.stack) child_frame.user_esp = arguments.stack;
    if (flags & kCloneSetTls) TRY(set_thread_area(child, UserPtr<void>(arguments.tls)));
    return {};
}

void link_child(Process& child, Process& parent, uint32_t flags) REQUIRES(process_tree) {
    Process& family = flags & kCloneParent ? *parent.parent : parent;
    child.parent = &family;
    child.parent_pid = family.pid;
    child.pgid = parent.pgid;
    child.sid = parent.sid;
    child.terminal = parent.terminal;
    child.program = new_program_number();
    family.children.push_back(child);
    enter_table(child);
}

// From here on others see it. Its id; EAGAIN: the parent is about to end.
Result<int> enter_family(UserThread& thread, Process& parent, uint32_t flags, ThreadSlot& slot) {
    Process& child = *thread.owner;
    const bool new_process = &child != &parent;
    LockGuard guard(process_tree);
    if (parent.group_exit || parent.exec_pending || parent.life != Life::alive) return Errno::again;
    if (!new_process && parent.stopped) thread.interrupt_pending = true;
    thread.tid = TRY(take_id(thread.tid));
    enter_thread(child, thread);
    slot.keep(thread);
    if (!new_process) child.live_threads.add(1);
    if (new_process) {
        child.pid = thread.tid;
        link_child(child, parent, flags);
    }
    return thread.tid;
}

// A process that its parent declared to be a job may have to wait until it is let in (jobs.hpp).
void start(UserThread& child, UserThread& parent) {
    const bool new_process = child.process != parent.process;
    if (!new_process || !std::exchange(parent.submits_job, false)) return start_thread(child);
    child.process->is_job = true;
    submit_job(child, parent.job_service);
}

// vfork: the parent sleeps until the child has left its address space (exec or exit).
void wait_for_vfork(Process& child) {
    WaitQueue done;
    LockGuard guard(process_tree);
    if (child.life != Life::alive || child.left_parents_space) return;
    child.vfork_done = &done;
    done.wait(process_tree, [&] { return child.left_parents_space; },
              {.interruptible = false, .deadline = {}, .reason = "vfork"});
    child.vfork_done = nullptr;
}

}  // namespace

Result<int> clone_process(const TrapFrame& frame, const CloneArguments& arguments) {
    const uint32_t flags = arguments.flags;
    Process& parent = current_process();
    UserThread& self = current_thread();
    const bool new_process = !(flags & kCloneThread);
    TRY(check_flags(flags));
    // A reservation of CPU time can't be had twice.
    if (self.sched.sched_class == SchedClass::deadline && !self.reset_on_fork) return Errno::again;
    ThreadSlot slot;
    TRY(slot.take(parent, new_process));

    Ref<UserThread> thread = TRY(make_ref<UserThread>());
    TRY(thread->prepare(self.name, start_in_user, nullptr));
    thread->owner = new_process ? TRY(copy_process(parent, flags)) : Ref<Process>(parent);
    TRY(copy_thread(*thread, self, frame, arguments));
    if (arguments.made) arguments.made(arguments, *thread);
    const int id = TRY(enter_family(*thread, parent, flags, slot));

    Ref<Process> child(*thread->owner);  // it may end before vfork looks at it
    trace<TraceType::fork_event>(static_cast<uint32_t>(id), static_cast<uint32_t>(child->pid),
                                 static_cast<uint32_t>(parent.pid), flags);
    trace_name(id, thread->name);
    if (flags & kCloneParentSetTid)
        static_cast<void>(write_user(UserPtr<int32_t>(arguments.parent_tid), id));
    const bool traced = self.tracer.relaxed();
    if (traced) tracing_hooks.child_made(*thread, flags);
    start(*thread, self);
    if (traced) tracing_hooks.child_started();
    if (flags & kCloneVfork) wait_for_vfork(*child);
    return id;
}
