// Processes as files: opening, sending signals, waiting, taking over a descriptor.
// Spec: pidfd_open(2), pidfd_send_signal(2), pidfd_getfd(2), waitid(2) P_PIDFD.
#include "kernel/lib/start_up.hpp"
#include "kernel/linux/pid_file.hpp"
#include "kernel/proc/job_control.hpp"
#include "kernel/proc/process_table.hpp"
#include "kernel/proc/process_files.hpp"
#include "kernel/syscall/system_call.hpp"

Result<int> sys_pidfd_open(int pid, uint32_t flags) {
    if ((flags & ~kOpenNonBlock) || pid <= 0) return Errno::inval;
    Ref<Process> process = find_process(pid);
    if (!process) return find_thread(pid) ? Errno::inval : Errno::srch;
    Ref<PidFile> file = TRY(make_ref<PidFile>(flags));
    file->process = std::move(process);
    return install(Ref<File>(std::move(file)), true);
}

Result<void> sys_pidfd_send_signal(int fd, int number, UserPtr<const SignalInfo> from,
                                   uint32_t flags) {
    if (flags) return Errno::inval;
    const Ref<Process> process = TRY(process_of(fd, true));
    if (number < 0 || number > kSignals) return Errno::inval;
    SignalInfo info = signal_from_user(number);
    if (from) {
        info = TRY(read_user(from));
        if (info.number != number) return Errno::inval;
        // Only to itself may a program say that the kernel or kill() sent it.
        if (process.get() != &current_process() && (info.code >= 0 || info.code == kSiTkill))
            return Errno::perm;
    }
    LockGuard guard(process_tree);
    return is_known(*process) ? send_checked(*process, info) : Errno::srch;
}

Result<int> sys_pidfd_getfd(int fd, int wanted, uint32_t flags) {
    if (flags) return Errno::inval;
    const Ref<Process> process = TRY(process_of(fd, false));
    Ref<FdTable> files;
    {
        LockGuard guard(process_tree);
        if (process->life == Life::alive) files = process->files;
    }
    if (!files) return Errno::srch;
    const Credentials& self = context().credentials;
    if (!may_inspect(*process, self.uid, self.gid)) return Errno::perm;
    return install(TRY(files->get(wanted)), true);
}

namespace {

Result<int> child_of_file(int fd, bool& waits) {
    if (fd < 0) return Errno::inval;
    const Ref<Process> process = TRY(process_of(fd, false));
    waits = !TRY(file_of(fd))->non_blocking();
    LockGuard guard(process_tree);
    const bool own = is_known(*process) && process->parent == &current_process();
    return own ? Result<int>(process->pid) : Errno::child;
}

void pid_calls_init() { process_files.child = child_of_file; }
AT_START_UP(pid_calls_init);

constexpr SystemCall kPidCalls[] = {
    CALL(424, pidfd_send_signal, sys_pidfd_send_signal),
    CALL(434, pidfd_open, sys_pidfd_open),
    CALL(438, pidfd_getfd, sys_pidfd_getfd),
};
SYSTEM_CALLS_THAT_WAIT(kPidCalls);

}  // namespace
