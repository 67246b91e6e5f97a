// fork, vfork, clone: a new process or thread that continues where the caller was.
// Spec: clone(2), Linux i386.
// Locks: everything that may fail or sleep comes first; then, under process_tree, the new one
// becomes visible.
#include "kernel/arch/fpu.hpp"
#include "kernel/proc/process_table.hpp"
#include "kernel/sched/jobs.hpp"
#include "kernel/sched/policy_control.hpp"
#include "kernel/sched/scheduler.hpp"
#include "kernel/trace/trace.hpp"
#include "mm/frames.hpp"

extern "C" [[noreturn]] void enter_user(TrapFrame& frame);

namespace {

constexpr uint32_t kCloneVm = 0x100, kCloneFs = 0x200, kCloneFiles = 0x400, kCloneSigHand = 0x800,
                   kClonePidFd = 0x1000, kCloneVfork = 0x4000, kCloneParent = 0x8000,
                   kCloneThread = 0x10000, kCloneNewNamespaces = 0x7e020000, kCloneSetTls = 0x80000,
                   kCloneParentSetTid = 0x100000, kCloneChildClearTid = 0x200000,
                   kCloneChildSetTid = 0x1000000;

constinit uint32_t thread_total = 0;  // of user processes; atomic

// Once the limit of threads was reached there is a shortage: until kShortage has passed without
// that, only session leaders (the shell somebody sits at) get another process. Else each process of
// a fork bomb that gives up would make room for another one's child, and the bomb would never end.
constexpr uint64_t kShortage = 2'000'000'000;  // nanoseconds
constinit Nanoseconds shortage_end GUARDED_BY(process_tree){0};
constinit bool shortage = false;  // atomic

Result<void> bear_shortage(const Process& parent, bool new_process, uint32_t total) {
    LockGuard guard(process_tree);
    const Nanoseconds now = monotonic_now();
    if (total > max_threads()) {
        shortage_end = now + kShortage;
        __atomic_store_n(&shortage, true, __ATOMIC_RELAXED);
        return Errno::again;
    }
    if (now >= shortage_end) __atomic_store_n(&shortage, false, __ATOMIC_RELAXED);
    const bool leads = parent.sid == parent.pid || &parent == init_process;
    if (shortage && new_process && !leads) return Errno::again;
    return {};
}

// Counts one thread more; the caller has to take it back if this or what follows fails.
Result<void> count_thread(const Process& parent, bool new_process) {
    const uint32_t total = __atomic_add_fetch(&thread_total, 1, __ATOMIC_RELAXED);
    if (total <= max_threads() && !__atomic_load_n(&shortage, __ATOMIC_RELAXED)) [[likely]]
        return {};
    return bear_shortage(parent, new_process, total);
}

// RLIMIT_NPROC: threads of one user, who is not the superuser. Counted only where it is below what
// the machine allows.
bool user_has_enough(const Process& parent) {
    const uint32_t limit = parent.limits[limit_nproc].soft;
    const Credentials& user = parent.fs.credentials;
    if (limit >= max_threads() || user.is_superuser()) return false;
    uint32_t count = 0;
    for (Ref<Process> p = next_process(1); p; p = next_process(p->pid + 1)) {
        if (p->fs.credentials.uid != user.uid) continue;
        LockGuard guard(process_tree);
        count += p->thread_count;
    }
    return count >= limit;
}

void start_in_user(void*) {
    UserThread& self = current_thread();
    if (self.set_child_tid)
        static_cast<void>(write_user(UserPtr<int32_t>(self.set_child_tid), self.tid));
    disable_interrupts();
    enter_user(self.user_frame());
}

Result<void> check_flags(uint32_t flags) {
    if ((flags & kCloneThread) && !(flags & kCloneSigHand)) return Errno::inval;
    if ((flags & kCloneSigHand) && !(flags & kCloneVm)) return Errno::inval;
    // Sharing the working directory or the actions between processes is not offered.
    if (!(flags & kCloneThread) && (flags & (kCloneFs | kCloneSigHand))) return Errno::inval;
    if (flags & (kCloneNewNamespaces | kClonePidFd)) return Errno::inval;
    // Init has no siblings.
    if ((flags & kCloneParent) && &current_process() == init_process) return Errno::inval;
    return {};
}

void inherit(UserThread& child, const UserThread& parent) {
    child.blocked = parent.blocked;
    inherit_scheduling(child, parent);
    for (int i = 0; i < 3; ++i) child.tls[i] = parent.tls[i];
    fpu_save(child.fpu);
    __builtin_memcpy(child.name, parent.name, sizeof child.name);
}

// The parts of a new process that are copies or shares of the parent's.
Result<void> fill_process(Process& child, Process& parent, uint32_t flags) {
    if (flags & kCloneVm)
        child.space = parent.space;
    else
        child.space = TRY(parent.space->fork());
    if (flags & kCloneFiles)
        child.files = parent.files;
    else
        child.files = TRY(parent.files->clone());
    child.fs.root = root_directory(parent.fs);
    child.fs.cwd = working_directory(parent.fs);
    child.fs.credentials = parent.fs.credentials;
    child.fs.umask = parent.fs.umask;
    child.executable = parent.executable;
    child.running = parent.running;
    for (uint32_t i = 0; i < limit_count; ++i) child.limits[i] = parent.limits[i];
    for (int i = 0; i < kSignals; ++i) child.actions[i] = parent.actions[i];
    child.arguments_start = parent.arguments_start;
    child.arguments_end = parent.arguments_end;
    child.environment_start = parent.environment_start;
    child.environment_end = parent.environment_end;
    child.personality = parent.personality;
    child.no_new_privileges = parent.no_new_privileges;
    child.dumpable = parent.dumpable;
    child.exit_signal = flags & kCloneParent ? parent.exit_signal : static_cast<int>(flags & 0xff);
    child.start_time = monotonic_now();
    return {};
}

// Undoes the count that a failed clone took.
struct ThreadSlot {
    bool kept = false;
    ~ThreadSlot() {
        if (!kept) __atomic_fetch_sub(&thread_total, 1, __ATOMIC_RELAXED);
    }
};

void link_child(Process& child, Process& parent, uint32_t flags) {
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

uint32_t max_threads() {
    constexpr uint32_t kFramesPerThread = 64;  // what a small process takes, with room to spare
    uint32_t limit = memory_totals().total / kFramesPerThread;
    return limit < 24 ? 24 : limit > 30'000 ? 30'000 : limit;
}

void thread_left() { __atomic_fetch_sub(&thread_total, 1, __ATOMIC_RELAXED); }

Result<Ref<UserThread>> make_process(std::string_view name, void (*entry)(void*)) {
    __atomic_fetch_add(&thread_total, 1, __ATOMIC_RELAXED);
    ThreadSlot slot;
    Ref<UserThread> thread = TRY(make_ref<UserThread>());
    TRY(thread->prepare(name, entry, nullptr));
    thread->owner = TRY(make_ref<Process>());
    thread->process = thread->owner.get();
    slot.kept = true;
    return thread;
}

Result<int> clone_process(const TrapFrame& frame, const CloneArguments& arguments) {
    uint32_t flags = arguments.flags;
    TRY(check_flags(flags));
    Process& parent = current_process();
    UserThread& self = current_thread();
    bool new_process = !(flags & kCloneThread);
    // A reservation can't be had twice.
    if (self.sched.sched_class == SchedClass::deadline && !self.reset_on_fork) return Errno::again;
    if (user_has_enough(parent)) return Errno::again;
    ThreadSlot slot;
    TRY(count_thread(parent, new_process));

    Ref<UserThread> thread = TRY(make_ref<UserThread>());
    TRY(thread->prepare(self.name, start_in_user, nullptr));
    inherit(*thread, self);
    if (new_process) {
        thread->owner = TRY(make_ref<Process>());
        TRY(fill_process(*thread->owner, parent, flags));
    } else {
        thread->owner = Ref<Process>(parent);
    }
    Process& child = *thread->owner;
    thread->process = &child;
    thread->space = child.space.get();
    thread->page_directory = child.space->page_directory();
    thread->local_descriptors = &child.space->local_descriptors();
    if (!new_process || !(flags & kCloneVm) || (flags & kCloneVfork))
        thread->alternate_stack = new_process ? self.alternate_stack : AlternateStack{};
    TrapFrame& child_frame = thread->user_frame();
    child_frame = frame;
    child_frame.eax = 0;
    if (arguments.stack) child_frame.user_esp = arguments.stack;
    if (flags & kCloneSetTls) {
        TRY(set_thread_area(*thread, UserPtr<void>(arguments.tls)));
    }
    if (flags & kCloneChildSetTid) thread->set_child_tid = arguments.child_tid;
    if (flags & kCloneChildClearTid) thread->clear_child_tid = arguments.child_tid;

    int id;
    {
        LockGuard guard(process_tree);
        if (parent.group_exit || parent.exec_pending || parent.life != Life::alive)
            return Errno::again;
        if (!new_process && parent.stopped) thread->interrupt_pending = true;
        id = thread->tid = allocate_id();
        child.threads.push_back(*thread);
        ++child.thread_count;
        if (!new_process) ++child.live_threads;
        if (new_process) {
            child.pid = id;
            link_child(child, parent, flags);
        }
    }
    slot.kept = true;
    trace<TraceType::fork_event>(static_cast<uint32_t>(id), static_cast<uint32_t>(child.pid),
                                 static_cast<uint32_t>(parent.pid), flags);
    trace_name(id, thread->name);
    if (flags & kCloneParentSetTid)
        static_cast<void>(write_user(UserPtr<int32_t>(arguments.parent_tid), id));
    Ref<Process> keep(child);
    if (new_process && std::exchange(self.submits_job, false)) {
        child.is_job = true;
        submit_job(*thread, self.job_service);
    } else {
        start_thread(*thread);
    }
    if (flags & kCloneVfork) wait_for_vfork(child);
    return id;
}
