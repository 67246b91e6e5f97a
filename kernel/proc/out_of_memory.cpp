// See out_of_memory.hpp.
#include "kernel/proc/out_of_memory.hpp"

#include "kernel/lib/log.hpp"
#include "kernel/proc/process_table.hpp"
#include "kernel/sched/clock.hpp"
#include "kernel/sched/scheduler.hpp"
#include "mm/memory_use.hpp"

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
        const MemoryUse use = memory_use(*space);
        if (p->group_exit && p.get() != &current_process()) return {p, use, true};
        if (use.resident + use.swapped >= victim.use.resident + victim.use.swapped)
            victim = {p, use, false};
    }
    return victim;
}

// A victim that has just been chosen gives its memory back soon, even if its process is gone
// already: nobody else is chosen meanwhile.
constexpr uint64_t kGrace = 200'000'000;  // nanoseconds
constinit uint32_t grace_until = 0;       // atomic; milliseconds

uint32_t milliseconds() { return static_cast<uint32_t>(monotonic_now().raw() / 1'000'000); }

bool wait_for_victim() {
    if (static_cast<int32_t>(__atomic_load_n(&grace_until, __ATOMIC_RELAXED) - milliseconds()) <= 0)
        return false;
    park({.interruptible = true, .deadline = monotonic_now() + kGrace / 20, .reason = "memory"});
    return true;
}
void note_victim() {
    __atomic_store_n(&grace_until, milliseconds() + static_cast<uint32_t>(kGrace / 1'000'000),
                     __ATOMIC_RELAXED);
}

}  // namespace

bool make_room_for_current() {
    if (!current_process().group_exit && wait_for_victim()) return true;
    const Victim victim = largest_process();
    note_victim();
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
