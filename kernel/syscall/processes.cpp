// The life of processes and threads: making, replacing, ending, awaiting; who is who.
// Spec: fork(2), clone(2), execve(2), _exit(2), wait4(2), waitid(2), setpgid(2).
#include "kernel/proc/process_files.hpp"
#include "kernel/proc/segments.hpp"
#include "kernel/proc/wait_status.hpp"
#include "kernel/syscall/system_call.hpp"
#include "kernel/syscall/usage_layouts.hpp"

namespace {

constexpr uint32_t kCloneVm = 0x100, kClonePidFd = 0x1000, kCloneVfork = 0x4000;

}  // namespace

// --- making and ending

Result<int> sys_fork(TrapFrame& frame) { return clone_process(frame, {.flags = kSigChld}); }

Result<int> sys_vfork(TrapFrame& frame) {
    return clone_process(frame, {.flags = kCloneVfork | kCloneVm | kSigChld});
}

Result<int> sys_clone(TrapFrame& frame, uint32_t flags, uint32_t stack, uint32_t parent_tid,
                      uint32_t tls, uint32_t child_tid) {
    const CloneArguments arguments{flags, stack, parent_tid, child_tid, tls};
    if ((flags & kClonePidFd) && process_files.clone) return process_files.clone(frame, arguments);
    return clone_process(frame, arguments);
}

Result<void> sys_execve(UserPtr<const char> name, UserPtr<uint32_t> arguments,
                        UserPtr<uint32_t> environment) {
    UserName program;
    TRY(program.load(kAtWorkingDirectory, name));
    return execute(program.base(), program.text(), arguments, environment, program.text());
}

void sys_exit(int code) { exit_current_thread(status_of_exit(code)); }
void sys_exit_group(int code) { exit_group(status_of_exit(code)); }

// --- waiting

struct ChildInfo {  // siginfo_t of SIGCHLD
    int32_t signal, error, code, pid;
    uint32_t uid;
    int32_t status;
};

namespace {

constexpr uint32_t kNoHang = 1, kStopped = 2, kExited = 4, kContinued = 8, kNoWait = 0x01000000,
                   kNoThread = 0x20000000, kAll = 0x40000000, kClone = 0x80000000;
constexpr uint32_t kThreadOptions = kNoThread | kAll | kClone;
constexpr uint32_t kOwnChildren = kNoThread;  // a process' children are those of all its threads

Rusage rusage_of(const CpuTimes& times) {
    Rusage usage{};
    usage.max_resident_kib = static_cast<int32_t>(times.peak_resident * (kPageSize / 1024));
    usage.user = to_time<TimeVal32>(Nanoseconds(times.user));
    usage.kernel = to_time<TimeVal32>(Nanoseconds(times.kernel));
    usage.minor_faults = static_cast<int32_t>(times.minor_faults);
    usage.major_faults = static_cast<int32_t>(times.major_faults);
    usage.blocks_in = static_cast<int32_t>(times.io.bytes_read / 512);
    usage.blocks_out = static_cast<int32_t>(times.io.bytes_written / 512);
    usage.voluntary_switches = static_cast<int32_t>(times.voluntary_switches);
    usage.involuntary_switches = static_cast<int32_t>(times.involuntary_switches);
    return usage;
}

int exit_detail(const WaitOutcome& outcome) {
    bool by_signal = outcome.signal_code == kCldKilled || outcome.signal_code == kCldDumped;
    if (outcome.signal_code == kCldContinued) return kSigCont;
    return by_signal ? outcome.status & 0x7f : outcome.status >> 8 & 0xff;
}

}  // namespace

Result<int> sys_wait4(int pid, UserPtr<int> status, uint32_t options, UserPtr<Rusage> usage) {
    if (options & ~(kNoHang | kStopped | kContinued | kThreadOptions)) return Errno::inval;
    if (pid == INT32_MIN) return Errno::srch;
    WaitOutcome outcome = TRY(wait_for_child(pid, (options & ~kOwnChildren) | kExited));
    if (outcome.pid == 0) return 0;
    if (status) TRY(write_user(status, outcome.status));
    if (usage) TRY(write_user(usage, rusage_of(outcome.times)));
    return outcome.pid;
}
Result<int> sys_waitpid(int pid, UserPtr<int> status, uint32_t options) {
    return sys_wait4(pid, status, options, {});
}

Result<void> sys_waitid(uint32_t kind, int id, UserPtr<ChildInfo> info, uint32_t options,
                        UserPtr<Rusage> usage) {
    constexpr uint32_t kEveryone = 0, kProcess = 1, kGroup = 2, kFile = 3;
    constexpr uint32_t kEvents = kStopped | kExited | kContinued;
    if (options & ~(kNoHang | kEvents | kNoWait | kThreadOptions)) return Errno::inval;
    if (!(options & kEvents) || kind > (process_files.child ? kFile : kGroup)) return Errno::inval;
    if ((kind == kProcess && id <= 0) || (kind == kGroup && id < 0)) return Errno::inval;
    int pid = kind == kEveryone ? -1 : kind == kProcess ? id : -id;
    bool waits = true;
    if (kind == kFile) pid = TRY(process_files.child(id, waits));
    const uint32_t no_hang = waits ? 0 : kNoHang;
    WaitOutcome outcome = TRY(wait_for_child(pid, (options & ~kOwnChildren) | no_hang));
    if (!outcome.pid && !waits && !(options & kNoHang)) return Errno::again;
    ChildInfo child{};
    if (outcome.pid)
        child = {kSigChld, 0, outcome.signal_code, outcome.pid, outcome.uid, exit_detail(outcome)};
    if (info) TRY(write_user(info, child));
    if (usage && outcome.pid) TRY(write_user(usage, rusage_of(outcome.times)));
    return {};
}

Result<void> sys_getrusage(int who, UserPtr<Rusage> to) {
    constexpr int kSelf = 0, kChildren = -1, kThread = 1;
    Process& process = current_process();
    const Thread& thread = Thread::current();
    switch (who) {
        case kSelf: return write_user(to, rusage_of(process.times()));
        case kChildren: return write_user(to, rusage_of(process.children_times()));
        case kThread: {
            CpuTimes own;
            {
                LockGuard guard(process_tree);
                own = times_of(thread);
            }
            own.peak_resident = process.times().peak_resident;
            return write_user(to, rusage_of(own));
        }
        default: return Errno::inval;
    }
}

Result<uint32_t> sys_times(UserPtr<Tms> to) {
    auto ticks = [](uint64_t ns) { return static_cast<int32_t>(ns / kNanosecondsPerTick); };
    if (to) {
        CpuTimes own = current_process().times();
        const CpuTimes children = current_process().children_times();
        TRY(write_user(to, Tms{ticks(own.user), ticks(own.kernel), ticks(children.user),
                               ticks(children.kernel)}));
    }
    return static_cast<uint32_t>(ticks_now().raw());
}

// --- identity

int sys_getpid() { return current_process().pid; }
int sys_gettid() { return current_thread().tid; }
int sys_getpgrp() { return current_process().pgid; }

int sys_getppid() { return current_process().parent_pid.relaxed(); }

// A thread's id stands for its process.
Result<Ref<Process>> process_of(int id) {
    const Result<Ref<UserThread>> thread = thread_named(id);
    return thread.is_ok() ? Ref<Process>(*thread.value()->process) : process_named(id);
}
Result<int> sys_getpgid(int id) { return TRY(process_of(id))->pgid; }
Result<int> sys_getsid(int id) { return TRY(process_of(id))->sid; }
Result<void> sys_setpgid(int pid, int pgid) { return set_process_group(pid, pgid); }
Result<int> sys_setsid() { return create_session(); }

int sys_set_tid_address(uint32_t address) {
    current_thread().clear_child_tid = address;
    return current_thread().tid;
}

Result<void> sys_set_thread_area(UserPtr<void> description) {
    return set_thread_area(current_thread(), description);
}
Result<void> sys_get_thread_area(UserPtr<void> description) {
    return get_thread_area(current_thread(), description);
}

// Linux returns this call's result as an unsigned int: no errno is lost by that on i386.
Result<uint32_t> sys_modify_ldt(uint32_t function, UserPtr<void> memory, uint32_t bytes) {
    return modify_ldt(function, memory, bytes);
}

uint32_t sys_personality(uint32_t wanted) {
    uint32_t old = current_process().personality;
    if (wanted != UINT32_MAX) current_process().personality = wanted;
    return old;
}

constexpr SystemCall kProcessesCalls[] = {
    CALL(1, exit, sys_exit),
    CALL(2, fork, sys_fork),
    CALL(7, waitpid, sys_waitpid),
    CALL(11, execve, sys_execve),
    CALL(20, getpid, sys_getpid),
    CALL(43, times, sys_times),
    CALL(57, setpgid, sys_setpgid),
    CALL(64, getppid, sys_getppid),
    CALL(65, getpgrp, sys_getpgrp),
    CALL(66, setsid, sys_setsid),
    CALL(77, getrusage, sys_getrusage),
    CALL(114, wait4, sys_wait4),
    CALL(120, clone, sys_clone),
    CALL(123, modify_ldt, sys_modify_ldt),
    CALL(132, getpgid, sys_getpgid),
    CALL(136, personality, sys_personality),
    CALL(147, getsid, sys_getsid),
    CALL(190, vfork, sys_vfork),
    CALL(224, gettid, sys_gettid),
    CALL(243, set_thread_area, sys_set_thread_area),
    CALL(244, get_thread_area, sys_get_thread_area),
    CALL(252, exit_group, sys_exit_group),
    CALL(258, set_tid_address, sys_set_tid_address),
    CALL(284, waitid, sys_waitid),
};
SYSTEM_CALLS_THAT_WAIT(kProcessesCalls);
