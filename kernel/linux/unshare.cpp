// What a process need not share any more: unshare; and name spaces, of which there is only one each, so that
// setns finds none. All threads of a process share its descriptors and names: only a process of one thread
// can part with others. Spec: unshare(2), setns(2).
#include "kernel/ipc/ipc_object.hpp"
#include "kernel/proc/process_table.hpp"
#include "kernel/proc/thread_limits.hpp"
#include "kernel/syscall/system_call.hpp"

Result<void> sys_unshare(uint32_t flags) {
    constexpr uint32_t kMemory = 0x100, kNames = 0x200, kFiles = 0x400, kActions = 0x800,
                       kThread = 0x10000, kUndo = 0x40000, kNameSpaces = 0x7e020080;
    if (flags & ~(kMemory | kNames | kFiles | kActions | kThread | kUndo | kNameSpaces))
        return Errno::inval;
    Process& process = current_process();
    if ((flags & (kMemory | kNames | kFiles | kActions | kThread)) && process.live_threads > 1)
        return Errno::inval;
    if ((flags & kMemory) && process.space->ref_count() > 1) return Errno::inval;
    Ref<FdTable> files;  // the old ones are let go of when the lock is not held
    if ((flags & kFiles) && process.files->ref_count() > 1) files = TRY(process.files->clone());
    if (flags & kNameSpaces) return refuse_name_spaces(flags);
    if (flags & kUndo) sysv_process_gone(process.pid);
    LockGuard guard(process_tree);
    if (files) std::swap(process.files, files);
    return {};
}

Result<void> sys_setns(int fd, uint32_t /*kind*/) {
    const Ref<File> file = TRY(file_of(fd));
    return file->flags() & kOpenPath ? Errno::badf : Errno::inval;
}

constexpr SystemCall kUnshareCalls[] = {
    CALL(310, unshare, sys_unshare),
    CALL(346, setns, sys_setns),
};
SYSTEM_CALLS_THAT_WAIT(kUnshareCalls);
