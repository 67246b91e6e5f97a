// /proc/PID/syscall: the system call in which a thread sleeps: its number, arguments, stack pointer, and the
// instruction after it; -1 and the last two where no call made it sleep. Spec: proc(5).
#include "fs/proc/proc_entry.hpp"
#include "kernel/arch/gate.hpp"
#include "kernel/proc/process_table.hpp"
#include "kernel/sched/dispatcher.hpp"

namespace {

// Null: it runs, or is about to.
Ref<UserThread> sleeping_thread(const ProcTarget& target) {
    Ref<UserThread> thread = find_thread(target.tid ? target.tid : target.pid);
    if (!thread) return nullptr;
    RunQueueGuard guard;
    const bool runs = thread->state == ThreadState::running || thread->state == ThreadState::ready;
    return runs ? nullptr : thread;
}

Result<void> show_call(TextSink& to, const ProcTarget& target) {
    const Ref<UserThread> thread = sleeping_thread(target);
    if (!thread) {
        to.put("running\n");
        return {};
    }
    const TrapFrame& f = thread->user_frame();
    if (f.vector == kVectorSystemCall)
        format_to(to, "{} 0x{:x} 0x{:x} 0x{:x} 0x{:x} 0x{:x} 0x{:x}", f.error, f.ebx, f.ecx, f.edx,
                  f.esi, f.edi, f.ebp);
    else
        to.put("-1");
    format_to(to, " 0x{:x} 0x{:x}\n", f.user_esp, f.eip);
    return {};
}

constexpr ProcEntry kCallFile[] = {
    {.name = "syscall", .mode = kTypeRegular | 0400, .generate = show_call, .inspects = true},
};
PROC_FILES(proc_process, kCallFile);
PROC_FILES(proc_thread, kCallFile);

}  // namespace
