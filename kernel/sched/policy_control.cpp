// See policy_control.hpp. A queued thread is taken out before its figures change, and queued again
// after; one that runs starts a new turn.
#include "kernel/sched/policy_control.hpp"

#include <new>

#include "kernel/arch/cpu.hpp"
#include "kernel/lib/format.hpp"
#include "kernel/sched/dispatcher.hpp"
#include "kernel/sched/schedulers.hpp"
#include "kernel/sched/jobs.hpp"

constinit uint32_t policy_index = Schedulers::kIndexOf<DefaultScheduler>;

namespace {

// Reservations may take 95 % of a CPU, in parts per 2^20. Locks: run_queue.
constexpr uint64_t kShareBits = 20, kMostReserved = (95ull << kShareBits) / 100;
constinit uint64_t reserved_share = 0;

uint64_t share_of(const SchedEntity& entity) {
    if (entity.sched_class != SchedClass::deadline || !entity.period) return 0;
    return (entity.runtime << kShareBits) / entity.period;
}

// `change` may touch all figures that the thread's owner sets.
template <typename F>
void change_entity(Thread& thread, ReadyReason reason, F&& change) QUEUES_HELD {
    const Nanoseconds now = monotonic_now();
    if (is_queued(thread)) {
        unqueue(thread);
        change(thread.sched);
        make_ready(thread, reason, now);
        return;
    }
    const bool runs = thread.sched.on_cpu;
    if (runs) thread.sched.stop(now);
    change(thread.sched);
    if (!runs) return;
    CpuQueue& queue = queue_of(thread);
    queue.run.adopt(thread.sched, now);
    arm_dispatch_timer(queue);
    // Another one may be the better choice now.
    if (queue.run.ready_count()) request_reschedule(queue.cpu);
}

// On every CPU all that wait are queued anew, so the running one's turn begins anew too. Before the
// first queue is made, while the command line is read, there are none.
template <typename F>
void change_queues(F&& change) QUEUES_HELD {
    const Nanoseconds now = monotonic_now();
    for (uint32_t i = 0; i < cpu_count; ++i) {
        if (!cpus[i]->queue) continue;
        CpuQueue& queue = *cpus[i]->queue;
        change(queue, now);
        Thread* running = queue.cpu.current;
        if (running && running->sched.on_cpu) queue.run.adopt(running->sched, now);
        if (running) arm_dispatch_timer(queue);
    }
}

// What all queues' policies have.
constinit auto tunables GUARDED_BY(run_queue_lock) = kSchedulerTunables;

void copy_tunable(const Tunable& from, CpuQueue& queue) QUEUES_HELD {
    queue.policies.set_tunable(from);
    for (Tunable* own : tunables_in(queue.run.tunables))
        if (own->name == from.name) *own = from;
}

}  // namespace

constinit const PolicyChoice kSchedulerChoice = {
    "sched",
    Schedulers::kNames,
    [] { return policy_index; },
    [](uint32_t which) {
        RunQueueGuard guard;
        policy_index = which;
        change_queues([&](CpuQueue& queue, Nanoseconds now)
                          QUEUES_HELD { queue.run.set_fair(queue.policies.at(which), now); });
    },
    "sched.",
    kSchedulerTunables.span(),
    [](uint32_t which) {
        RunQueueGuard guard;
        return tunables.all[which];
    },
    [](const Tunable& fresh) {
        RunQueueGuard guard;
        *tunables.find(fresh.name) = fresh;
        copy_to_jobs(fresh);
        change_queues([&](CpuQueue& queue, Nanoseconds now) QUEUES_HELD {
            copy_tunable(fresh, queue);
            queue.run.requeue(now);
        });
    }};

CpuQueue::CpuQueue(Cpu& owner, Schedulers& all)
    : cpu(owner), policies(all), run(all.at(policy_index)) {
    for (const Tunable& tunable : tunables.span()) copy_tunable(tunable, *this);
}

CpuQueue* CpuQueue::make(Cpu& owner) {
    struct Whole {
        explicit Whole(Cpu& cpu) : queue(cpu, policies) {}
        Schedulers policies{};
        CpuQueue queue;
    };
    // No static constructors: the first one is made here, before there is a heap.
    alignas(Whole) static constinit std::byte first[sizeof(Whole)] = {};
    Whole* whole = owner.id ? new (std::nothrow) Whole(owner) : new (first) Whole(owner);
    return whole ? &whole->queue : nullptr;
}

SchedParameters sched_parameters(const Thread& thread) {
    RunQueueGuard guard;
    const SchedEntity& e = thread.sched;
    const bool fixed =
        e.sched_class == SchedClass::fifo || e.sched_class == SchedClass::round_robin;
    return {.sched_class = e.sched_class,
            .rt_priority = fixed ? e.rt_priority : uint8_t{0},
            .nice = e.nice,
            .runtime = e.runtime,
            .deadline = e.relative_deadline,
            .period = e.period,
            .declared = e.declared ? e.service : 0,
            .fair_kind = thread.fair_kind,
            .reset_on_fork = thread.reset_on_fork};
}

Result<void> set_sched_parameters(Thread& thread, const SchedParameters& wanted) {
    RunQueueGuard guard;
    SchedEntity fresh;
    fresh.sched_class = wanted.sched_class;
    fresh.runtime = wanted.runtime;
    fresh.period = wanted.period ? wanted.period : wanted.deadline;
    const uint64_t others = reserved_share - share_of(thread.sched);
    if (share_of(fresh) && others + share_of(fresh) > kMostReserved) return Errno::busy;
    reserved_share = others + share_of(fresh);
    const bool new_class = wanted.sched_class != thread.sched.sched_class;
    thread.reset_on_fork = wanted.reset_on_fork;
    thread.fair_kind = wanted.fair_kind;
    // A deadline thread that is queued as `yielded` would be done for its period.
    const bool moved = new_class || wanted.sched_class == SchedClass::deadline;
    change_entity(thread, moved ? ReadyReason::moved : ReadyReason::yielded,
                  [&](SchedEntity& entity) {
                      entity.sched_class = wanted.sched_class;
                      entity.rt_priority = wanted.rt_priority ? wanted.rt_priority : 1;
                      entity.nice = wanted.nice;
                      entity.runtime = wanted.runtime;
                      entity.relative_deadline = wanted.deadline;
                      entity.period = fresh.period;
                      if (wanted.declared) entity.declare_service(wanted.declared);
                  });
    return {};
}

void set_nice(Thread& thread, int nice) {
    RunQueueGuard guard;
    if (thread.sched.nice == nice) return;
    change_entity(thread, ReadyReason::yielded, [&](SchedEntity& entity) { entity.nice = nice; });
}

Result<void> set_affinity(Thread& thread, uint32_t wanted) {
    RunQueueGuard guard;
    if (!(wanted & all_cpus())) return Errno::inval;
    thread.affinity = wanted;
    Cpu& cpu = queue_of(thread).cpu;
    if (may_run_on(thread, cpu)) return {};
    if (thread.state == ThreadState::running) {
        request_reschedule(cpu);
    } else if (is_queued(thread)) {
        unqueue(thread);
        make_ready(thread, ReadyReason::moved, monotonic_now());
    }
    return {};
}

uint32_t affinity_of(const Thread& thread) { return thread.affinity & all_cpus(); }

void release_reservation(Thread& thread) { reserved_share -= share_of(thread.sched); }

void inherit_scheduling(Thread& child, const Thread& parent) {
    const SchedEntity& from = parent.sched;
    SchedEntity& to = child.sched;
    child.affinity = parent.affinity;
    child.last_cpu = parent.last_cpu;
    to.nice = from.nice;
    if (parent.reset_on_fork) {
        if (to.nice < 0 || from.sched_class != SchedClass::fair) to.nice = 0;
        return;
    }
    to.sched_class = from.sched_class;
    to.rt_priority = from.rt_priority;
    child.fair_kind = parent.fair_kind;
}

uint64_t turn_length(const Thread& thread) {
    RunQueueGuard guard;
    SchedEntity fresh;
    fresh.sched_class = thread.sched.sched_class;
    fresh.budget = thread.sched.runtime;
    fresh.service = kNever.raw() / 4;  // no end of a belief, where that would end a turn
    const Nanoseconds end = this_queue().run.own_turn_end(fresh);
    return end.raw() > kNever.raw() / 4 ? 0 : end.raw();
}
