// What processes may use: resource limits, and priorities among others.
// Spec: getrlimit(2), getpriority(2).
#include "kernel/proc/most_descriptors.hpp"
#include "kernel/sched/policy_control.hpp"
#include "kernel/syscall/system_call.hpp"
#include "kernel/syscall/usage_layouts.hpp"
#include "mm/frame_allocation.hpp"

namespace {

bool may_manage(const Process& other) {
    const Credentials& self = context().credentials;
    return self.may(Capability::sys_nice) || self.euid == other.fs.credentials.uid ||
           self.euid == other.fs.credentials.euid;
}

// --- limits

Result<void> set_limit(Process& process, uint32_t which, LimitPair wanted) {
    LimitPair& limit = process.limits[which];
    if (wanted.soft > wanted.hard) return Errno::inval;
    if (wanted.hard > limit.hard && !context().credentials.may(Capability::sys_resource))
        return Errno::perm;
    if (which == limit_nofile && wanted.hard > most_descriptors.relaxed()) return Errno::perm;
    limit = wanted;
    if (!process.space) return {};
    if (which == limit_as) process.space->limits.address_space = wanted.soft;
    if (which == limit_data) process.space->limits.data = wanted.soft;
    if (which == limit_rss) set_limit_resident(*process.space, wanted.soft);
    if (which == limit_memlock) process.space->limits.locked = wanted.soft;
    if (which == limit_stack) process.space->limits.stack = wanted.soft;
    return {};
}

constexpr uint64_t widen(uint32_t n) { return n == kInfinite ? UINT64_MAX : n; }
constexpr uint32_t narrow(uint64_t n) {
    return n >= kInfinite ? kInfinite : static_cast<uint32_t>(n);
}

}  // namespace

Result<void> sys_setrlimit(uint32_t which, UserPtr<const Rlimit> from) {
    if (which >= limit_count) return Errno::inval;
    Rlimit wanted = TRY(read_user(from));
    return set_limit(current_process(), which, {wanted.soft, wanted.hard});
}
Result<void> sys_ugetrlimit(uint32_t which, UserPtr<Rlimit> to) {
    if (which >= limit_count) return Errno::inval;
    const LimitPair& limit = current_process().limits[which];
    return write_user(to, Rlimit{limit.soft, limit.hard});
}
// The oldest call's "no limit" is the largest signed number.
Result<void> sys_getrlimit(uint32_t which, UserPtr<Rlimit> to) {
    if (which >= limit_count) return Errno::inval;
    const LimitPair& limit = current_process().limits[which];
    auto old = [](uint32_t n) { return n > INT32_MAX ? static_cast<uint32_t>(INT32_MAX) : n; };
    return write_user(to, Rlimit{old(limit.soft), old(limit.hard)});
}
Result<void> sys_prlimit64(int pid, uint32_t which, UserPtr<const Rlimit64> from,
                           UserPtr<Rlimit64> to) {
    if (which >= limit_count) return Errno::inval;
    Ref<Process> process = TRY(process_named(pid));
    const Credentials& self = context().credentials;
    if (process.get() != &current_process() &&
        !may_manage_all(process->fs.credentials, self.uid, self.gid))
        return Errno::perm;
    LimitPair old = process->limits[which];
    if (from) {
        Rlimit64 wanted = TRY(read_user(from));
        TRY(set_limit(*process, which, {narrow(wanted.soft), narrow(wanted.hard)}));
    }
    return to ? write_user(to, Rlimit64{widen(old.soft), widen(old.hard)}) : Result<void>();
}

Result<void> check_new_size(uint64_t now, uint64_t wanted) {
    const uint64_t limit = widen(current_process().limits[limit_fsize].soft);
    if (wanted <= now || wanted <= limit) return {};
    raise_signal(kSigXfsz);
    return Errno::fbig;
}

// --- priorities

namespace {

enum class Whose : uint32_t { process, group, user };

// Calls visit(process) for each that getpriority(2) means; ESRCH if there are none.
template <typename F>
Result<void> for_each_chosen(Whose whose, int who, F&& visit) {
    if (whose > Whose::user) return Errno::inval;
    const Process& self = current_process();
    bool any = false;
    for (Ref<Process> p = next_process(1); p; p = next_process(p->pid + 1)) {
        bool chosen = whose == Whose::group
                          ? p->pgid == (who ? who : self.pgid)
                          : p->fs.credentials.uid ==
                                (who ? static_cast<uint32_t>(who) : self.fs.credentials.uid);
        if (!chosen || !is_alive(*p)) continue;
        any = true;
        TRY(visit(*p));
    }
    if (!any) return Errno::srch;
    return {};
}

int nice_of(Process& process) {
    LockGuard guard(process_tree);
    const Thread* first = process.threads.front();
    return first ? first->sched.nice : 0;
}

Result<void> check_nice(const Process& process, int now, int wanted) {
    if (!may_manage(process)) return Errno::perm;
    const bool allowed = static_cast<int64_t>(process.limits[limit_nice].soft) >= 20 - wanted ||
                         context().credentials.may(Capability::sys_nice);
    return wanted < now && !allowed ? Result<void>(Errno::acces) : Result<void>();
}
Result<void> set_nice(Process& process, int nice) {
    TRY(check_nice(process, nice_of(process), nice));
    LockGuard guard(process_tree);
    for (Thread& thread : process.threads) set_nice(thread, nice);
    return {};
}
Result<void> set_nice(UserThread& thread, int nice) {
    TRY(check_nice(*thread.process, thread.sched.nice, nice));
    set_nice(static_cast<Thread&>(thread), nice);
    return {};
}

int clip_nice(int nice) { return nice < -20 ? -20 : nice > 19 ? 19 : nice; }

}  // namespace

// 40 (nice -20) to 1 (nice 19), so that no value looks like an error.
Result<int> sys_getpriority(uint32_t whose, int who) {
    if (static_cast<Whose>(whose) == Whose::process) {
        Result<Ref<UserThread>> thread = thread_named(who);
        if (thread.is_ok()) return 20 - thread.value()->sched.nice;
        return find_process(who) ? Result(20) : thread.error();  // ended, and not waited for yet
    }
    int best = 0;
    TRY(for_each_chosen(static_cast<Whose>(whose), who, [&](Process& process) -> Result<void> {
        int priority = 20 - nice_of(process);
        if (priority > best) best = priority;
        return {};
    }));
    return best;
}
Result<void> sys_setpriority(uint32_t whose, int who, int nice) {
    if (static_cast<Whose>(whose) == Whose::process)
        return set_nice(*TRY(thread_named(who)), clip_nice(nice));
    return for_each_chosen(static_cast<Whose>(whose), who,
                           [&](Process& process) { return set_nice(process, clip_nice(nice)); });
}
Result<void> sys_nice(int change) {
    UserThread& self = current_thread();
    int step = change < -40 ? -40 : change > 40 ? 40 : change;
    Result<void> done = set_nice(self, clip_nice(self.sched.nice + step));
    return done.is_error() ? Result<void>(Errno::perm) : Result<void>();
}

constexpr SystemCall kLimitsCalls[] = {
    CALL(34, nice, sys_nice),
    CALL(75, setrlimit, sys_setrlimit),
    CALL(76, getrlimit, sys_getrlimit),
    CALL(96, getpriority, sys_getpriority),
    CALL(97, setpriority, sys_setpriority),
    CALL(191, ugetrlimit, sys_ugetrlimit),
    CALL(340, prlimit64, sys_prlimit64),
};
SYSTEM_CALLS(kLimitsCalls);
