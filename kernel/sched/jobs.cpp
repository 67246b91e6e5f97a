// See jobs.hpp.
#include "kernel/sched/jobs.hpp"

#include <new>

#include "kernel/sched/dispatcher.hpp"
#include "kernel/sched/scheduler.hpp"

namespace {

constexpr std::string_view kPolicies[] = {"fcfs", "sjf", "hrrn", "priority"};

constinit PolicySet* policies = nullptr;
constinit FairPolicy* queue = nullptr;
constinit JobCounts counts{};

void let_in(SchedEntity& entity, Nanoseconds now) {
    Thread& thread = *static_cast<Thread*>(entity.owner);
    --counts.waiting;
    ++counts.active;
    thread.job_waits = false;
    thread.job_wait = now - thread.state_since;
    entity.figures_of = nullptr;
    entity.served = entity.turn_used = 0;
    make_ready(thread, ReadyReason::created, now);
}

void fill_up(Nanoseconds now) {
    while (!counts.degree || counts.active < counts.degree) {
        SchedEntity* next = queue->pick_next(now);
        if (!next) return;
        next->stop(now);
        let_in(*next, now);
    }
}

}  // namespace

void jobs_init() {
    alignas(PolicySet) static constinit std::byte set[sizeof(PolicySet)] = {};
    policies = new (set) PolicySet(sched_tunables);
    queue = policies->find(kPolicies[0]);
}

JobCounts job_counts() {
    RunQueueGuard guard;
    return counts;
}

void set_job_degree(uint32_t degree) {
    RunQueueGuard guard;
    counts.degree = degree;
    fill_up(monotonic_now());
}

uint32_t job_policy_count() { return std::size(kPolicies); }
std::string_view job_policy_name(uint32_t which) { return kPolicies[which]; }

uint32_t current_job_policy() {
    for (uint32_t i = 0; i < std::size(kPolicies); ++i)
        if (queue->name() == kPolicies[i]) return i;
    return 0;
}

bool choose_job_policy(std::string_view name) {
    for (std::string_view known : kPolicies) {
        if (known != name) continue;
        RunQueueGuard guard;
        const Nanoseconds now = monotonic_now();
        FairPolicy* next = policies->find(name);
        EntityList all;
        while (SchedEntity* job = queue->pick_next(now)) {
            job->stop(now);
            all.push_back(*job);
        }
        queue = next;
        while (SchedEntity* job = all.pop_front()) queue->enqueue(*job, ReadyReason::moved, now);
        return true;
    }
    return false;
}

void submit_job(Thread& thread, uint64_t service) {
    RunQueueGuard guard;
    note_thread_started(thread);
    const Nanoseconds now = monotonic_now();
    if (service) thread.sched.declare_service(service);
    thread.job_waits = true;
    set_state(thread, ThreadState::created, "job queue", now);
    ++counts.waiting;
    queue->enqueue(thread.sched, ReadyReason::created, now);
    fill_up(now);
}

void job_ended() {
    RunQueueGuard guard;
    --counts.active;
    fill_up(monotonic_now());
}

bool admit_job_now(Thread& thread) {
    if (!thread.job_waits) return false;
    queue->dequeue(thread.sched);
    let_in(thread.sched, monotonic_now());
    return true;
}
