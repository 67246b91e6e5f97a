// See pid_file.hpp.
#include "kernel/linux/pid_file.hpp"

#include "fs/mount.hpp"
#include "fs/proc/proc_node.hpp"
#include "kernel/lib/start_up.hpp"
#include "kernel/proc/process_table.hpp"
#include "kernel/syscall/arguments.hpp"

namespace {

// Who waits for the end of a process. Made by the first that does.
struct ProcessEnd final : Attachment {
    static constexpr char kKind = 0;
    WaitQueue waiters;
};

// A directory of /proc that is a process'. One that began after the directory was opened, and only has
// the same number, is another one.
Result<Ref<Process>> process_of_directory(File& file) {
    const Path& path = file.path();
    if (!path || path.mount().file_system->type_name() != "proc" || !path.dentry().is_directory() ||
        dentry_parent(path.dentry()).get() != path.mount().root.get())
        return Errno::badf;
    auto& node = static_cast<ProcNode&>(inode_of(path));
    if (!node.target().pid) return Errno::badf;
    const Timestamp opened = node.attributes().modified;
    const Nanoseconds since_boot = monotonic_at(
        Nanoseconds(static_cast<uint64_t>(opened.seconds) * 1'000'000'000 + opened.nanoseconds));
    Ref<Process> process = find_process(node.target().pid);
    if (!process || process->start_time > since_boot) return Errno::srch;
    return process;
}

}  // namespace

Result<Ref<Process>> process_of(int fd, bool proc_too) {
    Ref<File> file = TRY(file_of(fd));
    if (auto* named = file_as<PidFile>(*file)) return named->process;
    return proc_too ? process_of_directory(*file) : Errno::badf;
}

bool is_known(const Process& process) { return find_process_locked(process.pid) == &process; }

uint32_t PidFile::poll(PollTable* table) {
    if (table) {
        Result<ProcessEnd*> end = process->attached.get_or_make<ProcessEnd>();
        if (end.is_error()) return kPollError;
        table->watch(end.value()->waiters, kPollIn);
    }
    LockGuard guard(process_tree);
    return process->life == Life::zombie ? kPollIn : 0;
}

void PidFile::put_details(TextSink& to) {
    int pid;
    {
        LockGuard guard(process_tree);
        pid = is_known(*process) ? process->pid : -1;
    }
    format_to(to, "Pid:\t{}\n", pid);
}

namespace {
constinit HookList<Process&>::Hook end_hook{[](Process& process) {
    if (auto* end = process.attached.get<ProcessEnd>()) end->waiters.wake_all();
}};
void pid_files_init() { process_ended.add(end_hook); }
AT_START_UP(pid_files_init);
}  // namespace
