// ioprio_set and ioprio_get: a class and a level of each thread, which its children inherit. They are kept and
// told; no elevator looks at them.
// Locks: process_tree for the threads of other processes; the value is one word.
// Spec: ioprio_set(2).
#include <algorithm>

#include "kernel/proc/process_table.hpp"
#include "kernel/syscall/system_call.hpp"

namespace {

enum : uint32_t { whose_thread = 1, whose_group = 2, whose_user = 3 };
enum : uint32_t { class_none = 0, class_real_time = 1, class_best_effort = 2, class_idle = 3 };
constexpr uint32_t kIoClassShift = 13, kIoLevels = 8;

Result<void> check_priority(uint32_t priority) {
    const Credentials& self = context().credentials;
    const uint32_t level = priority & ((1u << kIoClassShift) - 1);
    switch (priority >> kIoClassShift & 7) {
        case class_real_time:
            if (!self.may(Capability::sys_admin) && !self.may(Capability::sys_nice))
                return Errno::perm;
            [[fallthrough]];
        case class_best_effort: return level < kIoLevels ? Result<void>() : Errno::inval;
        case class_idle: return {};
        case class_none: return level ? Errno::inval : Result<void>();
        default: return Errno::inval;
    }
}

Result<void> set_priority(UserThread& thread, uint32_t priority) {
    const Credentials& self = context().credentials;
    const uint32_t owner = thread.owner->fs.credentials.uid;
    if (owner != self.euid && owner != self.uid && !self.may(Capability::sys_nice))
        return Errno::perm;
    thread.io_priority = priority & 0xffff;
    return {};
}

// What a thread without a class of its own counts as.
uint32_t effective(const UserThread& thread) {
    if (thread.io_priority >> kIoClassShift) return thread.io_priority;
    const bool real_time = thread.sched.sched_class != SchedClass::fair;
    return (real_time ? class_real_time : class_best_effort) << kIoClassShift |
           static_cast<uint32_t>(thread.sched.nice + 20) / 5;
}

// Calls visit(thread) for all threads of a group or a user. EINVAL, ESRCH, and what visit says.
template <typename F>
Result<void> for_each_thread(uint32_t whose, int who, F&& visit) {
    if (whose != whose_group && whose != whose_user) return Errno::inval;
    const Process& self = current_process();
    const auto user = who ? static_cast<uint32_t>(who) : self.fs.credentials.uid;
    bool any = false;
    for (Ref<Process> p = next_process(1); p; p = next_process(p->pid + 1)) {
        LockGuard guard(process_tree);
        const bool chosen = whose == whose_group ? p->pgid == (who ? who : self.pgid)
                                                 : p->fs.credentials.uid == user;
        if (!chosen) continue;
        for (Thread& thread : p->threads) {
            any = true;
            TRY(visit(static_cast<UserThread&>(thread)));
        }
    }
    return any ? Result<void>() : Errno::srch;
}

}  // namespace

Result<void> sys_ioprio_set(uint32_t whose, int who, uint32_t priority) {
    TRY(check_priority(priority));
    if (whose == whose_thread) return set_priority(*TRY(thread_named(who)), priority);
    return for_each_thread(whose, who,
                           [&](UserThread& thread) { return set_priority(thread, priority); });
}

// Of several the best: the smallest number.
Result<uint32_t> sys_ioprio_get(uint32_t whose, int who) {
    if (whose == whose_thread) return TRY(thread_named(who))->io_priority;
    uint32_t best = UINT32_MAX;
    TRY(for_each_thread(whose, who, [&](UserThread& thread) -> Result<void> {
        best = std::min(best, effective(thread));
        return {};
    }));
    return best;
}

constexpr SystemCall kIoPriorityCalls[] = {
    CALL(289, ioprio_set, sys_ioprio_set),
    CALL(290, ioprio_get, sys_ioprio_get),
};
SYSTEM_CALLS(kIoPriorityCalls);
