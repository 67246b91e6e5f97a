// clone3: clone(2) with its arguments in memory, so that there is room for more of them; and CLONE_PIDFD of
// both; and the choice of the new one's id. What they have in common with fork is in kernel/proc/fork.cpp.
// Spec: clone(2).
#include "kernel/lib/start_up.hpp"
#include "kernel/linux/long_arguments.hpp"
#include "kernel/linux/pid_file.hpp"
#include "kernel/proc/process_files.hpp"
#include "kernel/proc/process_table.hpp"
#include "kernel/proc/thread_limits.hpp"
#include "kernel/syscall/system_call.hpp"

namespace {

constexpr uint64_t kSignalBits = 0xff, kNewTime = 0x80, kShareActions = 0x800, kPidFd = 0x1000,
                   kParent = 0x8000, kThread = 0x10000, kParentSetTid = 0x100000,
                   kDetached = 0x400000, kClearActions = 0x100000000, kKnown = 0x1ffffffff;

struct LongArguments {  // struct clone_args
    uint64_t flags, pid_file, child_tid, parent_tid, exit_signal, stack, stack_bytes, tls;
    uint64_t ids, id_count;  // version 1
    uint64_t cgroup;         // version 2
};
static_assert(sizeof(LongArguments) == 88);
constexpr uint32_t kFirstVersion = 64;

struct NewProcess : CloneArguments {
    PidFile* file = nullptr;
    int tid = 0;  // that it shall have; 0: any
    bool clear_actions = false;
};

void prepare(const CloneArguments& arguments, UserThread& child) {
    const auto& wanted = static_cast<const NewProcess&>(arguments);
    child.tid = wanted.tid;
    if (wanted.file) wanted.file->process = child.owner;
    if (!wanted.clear_actions) return;
    LockGuard guard(child.owner->signal_lock);
    for (SignalAction& action : child.owner->actions)
        if (action.handler != kHandlerIgnore) action = {};
}

// Its file's number goes to `to`. All or nothing.
Result<int> clone_with_file(const TrapFrame& frame, NewProcess& wanted, UserPtr<int32_t> to) {
    const Ref<FdTable> files = current_process().files;
    const int fd = TRY(files->reserve(current_process().fd_limit()));
    Ref<PidFile> file;
    auto make = [&]() -> Result<int> {
        file = TRY(make_ref<PidFile>(0u));
        TRY(write_user(to, fd));
        wanted.file = file.get();
        return clone_process(frame, wanted);
    };
    Result<int> id = make();
    files->fill(fd, id.is_ok() ? Ref<File>(std::move(file)) : nullptr, true);
    return id;
}

// clone(2) tells the number where CLONE_PARENT_SETTID would tell the other one.
Result<int> clone_with_pid_file(const TrapFrame& frame, const CloneArguments& arguments) {
    if (arguments.flags & (kThread | kDetached | kParentSetTid)) return Errno::inval;
    NewProcess wanted;
    static_cast<CloneArguments&>(wanted) = arguments;
    wanted.made = prepare;
    wanted.flags &= ~static_cast<uint32_t>(kPidFd);
    return clone_with_file(frame, wanted, UserPtr<int32_t>(arguments.parent_tid));
}

// Putting the new process into a control group is not offered.
Result<void> check(const LongArguments& a) {
    if ((a.flags & ~kKnown) || (a.flags & ((kSignalBits & ~kNewTime) | kDetached)))
        return Errno::inval;
    if (a.exit_signal > kSignals) return Errno::inval;
    if ((a.flags & kClearActions) && (a.flags & kShareActions)) return Errno::inval;
    if ((a.flags & (kThread | kParent)) && a.exit_signal) return Errno::inval;
    if ((a.flags & kPidFd) && (a.flags & kThread)) return Errno::inval;
    if (!a.stack != !a.stack_bytes || a.stack > kUserTop.raw() ||
        a.stack_bytes > kUserTop.raw() - a.stack)
        return Errno::inval;
    for (uint64_t address : {a.pid_file, a.child_tid, a.parent_tid, a.tls})
        if (address > UINT32_MAX) return Errno::fault;
    // Of the other name spaces clone_process() knows; this one shares its bit with the signal.
    if (a.flags & kNewTime) return refuse_name_spaces(static_cast<uint32_t>(a.flags));
    return {};
}

// One for each name space of processes, so it is one here. 0: any.
Result<int> chosen_id(const LongArguments& a) {
    constexpr Capability kCheckpointRestore{40};
    if (!a.ids && !a.id_count) return 0;
    if (!a.ids || a.id_count != 1) return Errno::inval;
    if (a.ids > UINT32_MAX) return Errno::fault;
    const int id = TRY(read_user(UserPtr<const int32_t>(static_cast<uint32_t>(a.ids))));
    if (id < 1 || id >= kMaxPid) return Errno::inval;
    const Credentials& self = context().credentials;
    const bool may = self.may(kCheckpointRestore) || self.may(Capability::sys_admin);
    return may ? Result(id) : Errno::perm;
}

}  // namespace

Result<int> sys_clone3(TrapFrame& frame, UserPtr<const LongArguments> from, uint32_t bytes) {
    const LongArguments a = TRY(read_long_arguments(from, bytes, kFirstVersion));
    TRY(check(a));
    auto narrow = [](uint64_t value) { return static_cast<uint32_t>(value); };
    NewProcess wanted;
    wanted.flags = narrow((a.flags & ~kPidFd) | a.exit_signal);
    wanted.stack = narrow(a.stack + a.stack_bytes);
    wanted.parent_tid = narrow(a.parent_tid);
    wanted.child_tid = narrow(a.child_tid);
    wanted.tls = narrow(a.tls);
    wanted.made = prepare;
    wanted.tid = TRY(chosen_id(a));
    wanted.clear_actions = a.flags & kClearActions;
    if (a.flags & kPidFd)
        return clone_with_file(frame, wanted, UserPtr<int32_t>(narrow(a.pid_file)));
    return clone_process(frame, wanted);
}

namespace {

void clone3_init() { process_files.clone = clone_with_pid_file; }
AT_START_UP(clone3_init);

constexpr SystemCall kCloneCalls[] = {
    CALL(435, clone3, sys_clone3),
};
SYSTEM_CALLS_THAT_WAIT(kCloneCalls);

}  // namespace
