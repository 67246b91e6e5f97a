// Scheduling classes, priorities and CPUs of threads.
// Spec: sched(7), sched_setscheduler(2), sched_setattr(2), sched_rr_get_interval(2),
// sched_setaffinity(2). Ours: the runtime of an ordinary thread's sched_attr declares the service
// time of the job that it begins now (sjf, srtn, hrrn).
#include "kernel/arch/cpu.hpp"
#include "kernel/sched/policy_control.hpp"
#include "kernel/sched/scheduler.hpp"
#include "kernel/syscall/system_call.hpp"

struct SchedAttributes {  // struct sched_attr
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
    uint32_t least_use, most_use;
};
static_assert(sizeof(SchedAttributes) == 56);

namespace {

enum Class : uint32_t { other, fifo, round_robin, batch, idle = 5, deadline };
constexpr uint32_t kClassResetOnFork = 0x40000000;  // in sched_setscheduler's policy
constexpr uint64_t kResetOnFork = 1, kReclaim = 2, kOverrun = 4, kKeepPolicy = 8,
                   kKeepParameters = 16, kUse = 0x60;
constexpr uint32_t kFirstSize = 48;
constexpr uint64_t kLeastRuntime = 1024, kLeastPeriod = 100'000, kMostPeriod = 1ull << 42;

bool is_fixed(uint32_t c) { return c == fifo || c == round_robin; }
bool is_ordinary(uint32_t c) { return c == other || c == batch || c == idle; }

uint32_t number_of(const SchedParameters& parameters) {
    switch (parameters.sched_class) {
        case SchedClass::fair: return parameters.fair_kind;
        case SchedClass::fifo: return fifo;
        case SchedClass::round_robin: return round_robin;
        case SchedClass::deadline: return deadline;
    }
    return other;
}

Result<void> set_class(SchedParameters& to, uint32_t c) {
    if (is_ordinary(c)) to.fair_kind = static_cast<uint8_t>(c);
    if (is_ordinary(c))
        to.sched_class = SchedClass::fair;
    else if (c == fifo)
        to.sched_class = SchedClass::fifo;
    else if (c == round_robin)
        to.sched_class = SchedClass::round_robin;
    else if (c == deadline)
        to.sched_class = SchedClass::deadline;
    else
        return Errno::inval;
    return {};
}

bool reservation_is_good(const SchedParameters& p) {
    const uint64_t period = p.period ? p.period : p.deadline;
    return p.runtime >= kLeastRuntime && p.runtime <= p.deadline && p.deadline <= period &&
           period >= kLeastPeriod && period <= kMostPeriod;
}

Result<void> check(const SchedParameters& wanted, uint32_t priority) {
    const bool fixed =
        wanted.sched_class == SchedClass::fifo || wanted.sched_class == SchedClass::round_robin;
    if (fixed ? priority < 1 || priority > 99 : priority != 0) return Errno::inval;
    if (wanted.sched_class == SchedClass::deadline && !reservation_is_good(wanted))
        return Errno::inval;
    return {};
}

// What it takes to change `thread` from `old`.
Result<void> check_privilege(const UserThread& thread, const SchedParameters& old,
                             const SchedParameters& wanted) {
    const Credentials& self = context().credentials;
    if (self.may(Capability::sys_nice)) return {};
    const Process& process = *thread.process;
    if (self.euid != process.fs.credentials.euid && self.euid != process.fs.credentials.uid)
        return Errno::perm;
    if (wanted.sched_class == SchedClass::deadline) return Errno::perm;
    const uint32_t most = process.limits[limit_rtprio].soft;
    if (wanted.rt_priority > old.rt_priority && wanted.rt_priority > most) return Errno::perm;
    if (wanted.nice < old.nice &&
        static_cast<int64_t>(process.limits[limit_nice].soft) < 20 - wanted.nice)
        return Errno::perm;
    return old.reset_on_fork && !wanted.reset_on_fork ? Result<void>(Errno::perm) : Result<void>();
}

Result<void> apply(UserThread& thread, SchedParameters wanted, uint32_t priority) {
    TRY(check(wanted, priority));
    wanted.rt_priority = static_cast<uint8_t>(priority);
    TRY(check_privilege(thread, sched_parameters(thread), wanted));
    return set_sched_parameters(thread, wanted);
}

// One that has ended, and is not waited for yet, is of the ordinary class.
Result<SchedParameters> parameters_named(int tid) {
    Result<Ref<UserThread>> thread = thread_named(tid);
    if (thread.is_ok()) return sched_parameters(*thread.value());
    return find_process(tid) ? Result(SchedParameters{}) : thread.error();
}

// sched_setscheduler and sched_setparam: the parameters of the other classes stay.
Result<void> set_class_and_priority(int tid, const uint32_t* c, UserPtr<const int> from) {
    if (tid < 0 || !from) return Errno::inval;
    const uint32_t priority = static_cast<uint32_t>(TRY(read_user(from)));
    Ref<UserThread> thread = TRY(thread_named(tid));
    SchedParameters wanted = sched_parameters(*thread);
    wanted.declared = 0;
    if (c) {
        wanted.reset_on_fork = *c & kClassResetOnFork;
        if ((*c & ~kClassResetOnFork) == deadline) wanted.runtime = 0;  // not by this call
        TRY(set_class(wanted, *c & ~kClassResetOnFork));
    }
    return apply(*thread, wanted, priority);
}

// E2BIG, and our size for the caller, if it knows more than we do and uses it.
Result<SchedAttributes> read_attributes(UserPtr<SchedAttributes> from) {
    const UserPtr<uint32_t> size_field(from.address().raw());
    uint32_t size = TRY(read_user(size_field));
    if (size == 0) size = kFirstSize;
    bool good = size >= kFirstSize && size <= kPageSize;
    for (uint32_t at = sizeof(SchedAttributes); good && at < size; ++at)
        good = TRY(read_user(UserPtr<uint8_t>(from.address().raw() + at))) == 0;
    if (!good) {
        TRY(write_user(size_field, uint32_t{sizeof(SchedAttributes)}));
        return Errno::toobig;
    }
    SchedAttributes attributes{};
    TRY(copy_from_user(&attributes, from.address(),
                       size < sizeof attributes ? size : sizeof attributes));
    return attributes;
}

}  // namespace

void sys_sched_yield() { yield(); }

Result<void> sys_sched_setscheduler(int tid, uint32_t wanted, UserPtr<const int> priority) {
    if (static_cast<int32_t>(wanted) < 0) return Errno::inval;
    return set_class_and_priority(tid, &wanted, priority);
}
Result<void> sys_sched_setparam(int tid, UserPtr<const int> priority) {
    return set_class_and_priority(tid, nullptr, priority);
}
Result<int> sys_sched_getscheduler(int tid) {
    if (tid < 0) return Errno::inval;
    const SchedParameters p = TRY(parameters_named(tid));
    return static_cast<int>(number_of(p) | (p.reset_on_fork ? kClassResetOnFork : 0));
}
Result<void> sys_sched_getparam(int tid, UserPtr<int> priority) {
    if (tid < 0 || !priority) return Errno::inval;
    return write_user(priority, int{TRY(parameters_named(tid)).rt_priority});
}

Result<void> sys_sched_setattr(int tid, UserPtr<SchedAttributes> from, uint32_t flags) {
    if (tid < 0 || !from || flags) return Errno::inval;
    const SchedAttributes a = TRY(read_attributes(from));
    if (a.flags & kUse) return Errno::opnotsupp;
    if (a.flags & ~(kResetOnFork | kReclaim | kOverrun | kKeepPolicy | kKeepParameters))
        return Errno::inval;
    Ref<UserThread> thread = TRY(thread_named(tid));
    SchedParameters wanted = sched_parameters(*thread);
    uint32_t priority = wanted.rt_priority;
    wanted.declared = 0;
    wanted.reset_on_fork = a.flags & kResetOnFork;
    if (!(a.flags & kKeepPolicy)) TRY(set_class(wanted, a.policy));
    if (!(a.flags & kKeepParameters)) {
        if ((a.runtime | a.deadline | a.period) >> 63) return Errno::inval;
        priority = a.priority;
        if (wanted.sched_class == SchedClass::deadline) {
            wanted.runtime = a.runtime;
            wanted.deadline = a.deadline;
            wanted.period = a.period;
        } else if (wanted.sched_class == SchedClass::fair) {
            wanted.nice = a.nice < -20 ? -20 : a.nice > 19 ? 19 : a.nice;
            wanted.declared = a.runtime;
        }
    }
    return apply(*thread, wanted, priority);
}

Result<void> sys_sched_getattr(int tid, UserPtr<SchedAttributes> to, uint32_t size,
                               uint32_t flags) {
    if (tid < 0 || !to || size < kFirstSize || size > kPageSize || flags) return Errno::inval;
    const SchedParameters p = sched_parameters(*TRY(thread_named(tid)));
    SchedAttributes a{};
    a.size = size < sizeof a ? size : sizeof a;
    a.policy = number_of(p);
    a.flags = p.reset_on_fork ? kResetOnFork : 0;
    a.nice = p.nice;
    a.priority = p.rt_priority;
    a.runtime = p.declared;
    if (p.sched_class == SchedClass::deadline) {
        a.runtime = p.runtime;
        a.deadline = p.deadline;
        a.period = p.period;
    }
    return copy_to_user(to.address(), &a, a.size);
}

Result<int> sys_sched_get_priority_max(uint32_t c) {
    if (is_fixed(c)) return 99;
    return is_ordinary(c) || c == deadline ? Result<int>(0) : Errno::inval;
}
Result<int> sys_sched_get_priority_min(uint32_t c) {
    if (is_fixed(c)) return 1;
    return is_ordinary(c) || c == deadline ? Result<int>(0) : Errno::inval;
}

template <typename T>
Result<void> sys_sched_rr_get_interval(int tid, UserPtr<T> to) {
    if (tid < 0) return Errno::inval;
    return write_user(to, to_time<T>(Nanoseconds(turn_length(*TRY(thread_named(tid))))));
}

// One CPU runs threads, so its mask is what there is to choose.
Result<void> sys_sched_setaffinity(int tid, uint32_t bytes, UserPtr<const uint32_t> mask) {
    uint32_t wanted = 0;
    TRY(copy_from_user(&wanted, mask.address(), bytes < sizeof wanted ? bytes : sizeof wanted));
    Ref<UserThread> thread = TRY(thread_named(tid));
    const Credentials& self = context().credentials;
    const Credentials& other = thread->process->fs.credentials;
    if (!self.may(Capability::sys_nice) && self.euid != other.euid && self.euid != other.uid)
        return Errno::perm;
    TRY(set_affinity(*thread, wanted));
    if (thread.get() == &current_thread()) reschedule_if_wanted();
    return {};
}
Result<uint32_t> sys_sched_getaffinity(int tid, uint32_t bytes, UserPtr<uint32_t> mask) {
    if (bytes < sizeof(uint32_t) || bytes % sizeof(uint32_t)) return Errno::inval;
    Result<Ref<UserThread>> thread = thread_named(tid);
    if (thread.is_error() && !find_process(tid)) return thread.error();
    TRY(write_user(mask, thread.is_ok() ? affinity_of(*thread.value()) : all_cpus()));
    return static_cast<uint32_t>(sizeof(uint32_t));
}
Result<void> sys_getcpu(UserPtr<uint32_t> cpu, UserPtr<uint32_t> node) {
    if (cpu) TRY(write_user(cpu, this_cpu().id));
    if (node) TRY(write_user(node, 0u));
    return {};
}

constexpr SystemCall kSchedulingCalls[] = {
    CALL(154, sched_setparam, sys_sched_setparam),
    CALL(155, sched_getparam, sys_sched_getparam),
    CALL(156, sched_setscheduler, sys_sched_setscheduler),
    CALL(157, sched_getscheduler, sys_sched_getscheduler),
    CALL(158, sched_yield, sys_sched_yield),
    CALL(159, sched_get_priority_max, sys_sched_get_priority_max),
    CALL(160, sched_get_priority_min, sys_sched_get_priority_min),
    CALL(161, sched_rr_get_interval, sys_sched_rr_get_interval<TimeSpec32>),
    CALL(241, sched_setaffinity, sys_sched_setaffinity),
    CALL(242, sched_getaffinity, sys_sched_getaffinity),
    CALL(318, getcpu, sys_getcpu),
    CALL(351, sched_setattr, sys_sched_setattr),
    CALL(352, sched_getattr, sys_sched_getattr),
    CALL(423, sched_rr_get_interval_time64, sys_sched_rr_get_interval<TimeSpec64>),
};
SYSTEM_CALLS(kSchedulingCalls);
