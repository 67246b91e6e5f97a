// membarrier: makes every other CPU that matters pass a memory barrier now, so that a program's fast side can
// do without one. The others are interrupted, and their interrupt is the barrier, of instructions too.
// Locks: none; what a process has registered for is one atomic word.
// Spec: membarrier(2).
#include "kernel/arch/page_table.hpp"
#include "kernel/lib/start_up.hpp"
#include "kernel/proc/process_table.hpp"
#include "kernel/syscall/system_call.hpp"

namespace {

constexpr uint32_t kOffered = 127;

struct Registered final : Attachment {
    static constexpr char kKind = 0;
    Atomic<uint32_t> commands = 0;
};

Result<void> register_for(uint32_t commands) {
    TRY(current_process().attached.get_or_make<Registered>())->commands.set_bits(commands);
    return {};
}

// An empty range: there is nothing to flush, but each of them answers.
Result<void> interrupt_own(uint32_t command) {
    auto* registered = current_process().attached.get<Registered>();
    if (!registered || !(registered->commands.load() & command)) return Errno::perm;
    flush_range(current_process().space->page_directory(), VirtAddr(0), VirtAddr(0));
    return {};
}

}  // namespace

Result<uint32_t> sys_membarrier(uint32_t command, uint32_t flags) {
    enum : uint32_t {
        query = 0,
        global = 1,
        global_expedited = 2,
        register_global = 4,
        private_expedited = 8,
        register_private = 16,
        private_sync_core = 32,
        register_sync_core = 64,
    };
    if (flags) return Errno::inval;
    switch (command) {
        case query: return kOffered;
        case global:
        case global_expedited: flush_kernel_range(VirtAddr(0), VirtAddr(0)); return 0u;
        case register_global: return 0u;
        case register_private: TRY(register_for(private_expedited)); return 0u;
        case register_sync_core: TRY(register_for(private_sync_core)); return 0u;
        case private_expedited:
        case private_sync_core: TRY(interrupt_own(command)); return 0u;
        default: return Errno::inval;
    }
}

namespace {

Result<void> inherit(const Process& parent, Process& child) {
    const auto* registered = parent.attached.get<Registered>();
    if (!registered) return {};
    TRY(child.attached.get_or_make<Registered>())->commands.store(registered->commands.load());
    return {};
}

// A new program has registered for nothing.
constinit HookList<Process&>::Hook program_hook{[](Process& process) {
    if (auto* registered = process.attached.get<Registered>()) registered->commands.store(0);
}};
constinit CopyHook membarrier_copy{inherit};
void membarrier_init() {
    add_copy_hook(membarrier_copy);
    program_ends.add(program_hook);
}
AT_START_UP(membarrier_init);

constexpr SystemCall kMembarrierCalls[] = {
    CALL(375, membarrier, sys_membarrier),
};
SYSTEM_CALLS_THAT_WAIT(kMembarrierCalls);

}  // namespace
