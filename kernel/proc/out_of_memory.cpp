// See out_of_memory.hpp.
#include "kernel/proc/out_of_memory.hpp"

#include "kernel/lib/log.hpp"
#include "kernel/proc/process_table.hpp"
#include "kernel/sched/scheduler.hpp"

namespace {

Ref<AddressSpace> space_of(const Process& process) {
    LockGuard guard(process_tree);
    return process.life == Life::alive ? process.space : nullptr;
}

struct Victim {
    Ref<Process> process;
    MemoryUse use{};
    bool leaving = false;
};

Victim largest_process() {
    Victim victim;
    for (Ref<Process> p = next_process(2); p; p = next_process(p->pid + 1)) {
        const Ref<AddressSpace> space = space_of(*p);
        if (!space) continue;
        const MemoryUse use = space->memory_use();
        if (p->group_exit && p.get() != &current_process()) return {p, use, true};
        if (use.resident + use.swapped >= victim.use.resident + victim.use.swapped)
            victim = {p, use, false};
    }
    return victim;
}

}  // namespace

bool make_room_for_current() {
    const Victim victim = largest_process();
    if (!victim.process || victim.process.get() == &current_process() ||
        current_process().group_exit)
        return false;
    if (!victim.leaving) {
        log_warning(
            "out of memory: {} wants a page; {}[{}], {} KiB in memory and {} KiB in swap, "
            "is killed",
            static_cast<const char*>(current_thread().name), victim.process->name(),
            victim.process->pid, victim.use.resident * 4, victim.use.swapped * 4);
        send_signal(*victim.process, signal_from_kernel(kSigKill));
    }
    yield();
    return true;
}
