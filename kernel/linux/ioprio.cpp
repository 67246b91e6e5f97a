// I/O priorities: kept for each thread, shown and inherited; the elevators of the disk do not look at them.
// Spec: ioprio_set(2); Documentation/block/ioprio.rst of Linux.
#include <algorithm>

#include "kernel/lib/start_up.hpp"
#include "kernel/proc/process_table.hpp"
#include "kernel/syscall/system_call.hpp"

namespace {

enum Whose : int { thread_itself = 1, group, user };
enum Class : uint32_t { none, real_time, best_effort, idle };
constexpr uint32_t kClassShift = 13, kLevels = 8;

struct IoPriority final : Attachment {
    static constexpr char kKind = 0;
    Atomic<uint32_t> value = 0;
};

// What was set for it, or what its process inherited.
uint32_t own_priority(const UserThread& thread) {
    const auto* own = thread.attached.get<IoPriority>();
    if (!own && thread.process) own = thread.process->attached.get<IoPriority>();
    return own ? own->value.relaxed() : 0;
}
// Without one of its own a thread has what its nice value says.
uint32_t priority_of(const UserThread& thread) {
    if (const uint32_t value = own_priority(thread); value >> kClassShift) return value;
    return best_effort << kClassShift | static_cast<uint32_t>(thread.sched.nice + 20) / 5;
}

Result<void> check(uint32_t value) {
    const uint32_t level = value & ((1u << kClassShift) - 1);
    switch (value >> kClassShift) {
        case real_time: {
            const Credentials& self = context().credentials;
            if (!self.may(Capability::sys_admin) && !self.may(Capability::sys_nice))
                return Errno::perm;
            [[fallthrough]];
        }
        case best_effort: return level < kLevels ? Result<void>() : Errno::inval;
        case idle: return {};
        case none: return level ? Errno::inval : Result<void>();
        default: return Errno::inval;
    }
}

// Calls visit(thread) for each that ioprio_set(2) means; ESRCH if there are none.
template <typename F>
Result<void> for_each_chosen(int whose, int who, F&& visit) {
    if (whose == thread_itself) return visit(*TRY(thread_named(who)));
    if (whose != group && whose != user) return Errno::inval;
    const Process& self = current_process();
    if (who == 0) who = whose == group ? self.pgid : static_cast<int>(self.fs.credentials.uid);
    bool any = false;
    for (Ref<Process> p = next_process(1); p; p = next_process(p->pid + 1)) {
        const int value = whose == group ? p->pgid : static_cast<int>(p->fs.credentials.uid);
        const Ref<UserThread> first = value == who ? find_thread(p->pid) : Ref<UserThread>();
        if (!first) continue;
        any = true;
        TRY(visit(*first));
    }
    return any ? Result<void>() : Errno::srch;
}

constinit CopyHook ioprio_copy{[](const Process&, Process& child) -> Result<void> {
    const uint32_t own = own_priority(current_thread());
    if (own) TRY(child.attached.get_or_make<IoPriority>())->value = own;
    return {};
}};
void ioprio_init() { add_copy_hook(ioprio_copy); }
AT_START_UP(ioprio_init);

}  // namespace

Result<void> sys_ioprio_set(int whose, int who, uint32_t value) {
    TRY(check(value));
    return for_each_chosen(whose, who, [&](UserThread& thread) -> Result<void> {
        const Credentials& self = context().credentials;
        const Credentials& other = thread.process->fs.credentials;
        if (other.uid != self.euid && other.uid != self.uid && !self.may(Capability::sys_nice))
            return Errno::perm;
        TRY(thread.attached.get_or_make<IoPriority>())->value = value;
        return {};
    });
}

// Of one thread what was set; of several the highest that they have: the lowest number.
Result<uint32_t> sys_ioprio_get(int whose, int who) {
    uint32_t best = UINT32_MAX;
    TRY(for_each_chosen(whose, who, [&](UserThread& thread) -> Result<void> {
        best = whose == thread_itself ? own_priority(thread) : std::min(best, priority_of(thread));
        return {};
    }));
    return best;
}

constexpr SystemCall kIoPriorityCalls[] = {
    CALL(289, ioprio_set, sys_ioprio_set),
    CALL(290, ioprio_get, sys_ioprio_get),
};
SYSTEM_CALLS(kIoPriorityCalls);
