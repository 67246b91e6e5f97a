// See jobs.hpp.
#include "kernel/sched/jobs.hpp"

#include <new>

#include "kernel/sched/dispatcher.hpp"
#include "kernel/sched/policy_control.hpp"
#include "kernel/sched/schedulers.hpp"
#include "kernel/sched/scheduler.hpp"

namespace {

constinit JobSchedulers* policies = nullptr;
constinit FairPolicy* queue = nullptr;
constinit uint32_t policy_of_jobs = JobSchedulers::kIndexOf<Fcfs>;
constinit JobCounts counts{};

void let_in(SchedEntity& entity, Nanoseconds now) QUEUES_HELD {
    Thread& thread = *static_cast<Thread*>(entity.owner);
    --counts.waiting;
    ++counts.active;
    thread.job_waits = false;
    thread.job_wait = now - thread.state_since;
    entity.slot_of = nullptr;
    entity.served = entity.turn_used = 0;
    make_ready(thread, ReadyReason::created, now);
}

void fill_up(Nanoseconds now) QUEUES_HELD {
    while (!counts.degree || counts.active < counts.degree) {
        SchedEntity* next = queue->pick_next(now);
        if (!next) return;
        next->stop(now);
        let_in(*next, now);
    }
}

}  // namespace

// Static storage, made at start-up and never destroyed: the kernel has no static constructors.
void jobs_init() {
    alignas(JobSchedulers) static constinit std::byte set[sizeof(JobSchedulers)] = {};
    policies = new (set) JobSchedulers;
    for (uint32_t i = 0; i < kSchedulerTunables.count; ++i)
        copy_to_jobs(kSchedulerChoice.tunable(i));
    queue = &policies->at(policy_of_jobs);
}

void copy_to_jobs(const Tunable& tunable) {
    if (policies) policies->set_tunable(tunable);
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

constinit const PolicyChoice kJobChoice = {"sched.jobs_policy", JobSchedulers::kNames,
                                           [] { return policy_of_jobs; },
                                           [](uint32_t which) {
                                               RunQueueGuard guard;
                                               const Nanoseconds now = monotonic_now();
                                               EntityList all;
                                               while (SchedEntity* job = queue->pick_next(now)) {
                                                   job->stop(now);
                                                   all.push_back(*job);
                                               }
                                               policy_of_jobs = which;
                                               queue = &policies->at(which);
                                               while (SchedEntity* job = all.pop_front())
                                                   queue->enqueue(*job, ReadyReason::moved, now);
                                           }};

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

bool admit_job_now(Thread& thread) NO_LOCK_ANALYSIS {
    if (!thread.job_waits) return false;
    queue->dequeue(thread.sched);
    let_in(thread.sched, monotonic_now());
    return true;
}
