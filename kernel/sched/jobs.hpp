// Long-term scheduling: a process that is submitted as a job waits as new until fewer jobs than the
// degree of multiprogramming are in the system. Which one is next is the decision of a policy: the
// classes of the run queue, in a queue of their own. A job's service time is what was declared when
// it was submitted, its priority is its nice value.
// A signal to a job that waits lets it in at once, so that it can die of it.
// Locks: run_queue, inside.
#pragma once

#include "kernel/lib/policy_choice.hpp"
#include "kernel/sched/thread.hpp"

struct JobCounts {
    uint32_t degree = 0;  // 0: no limit
    uint32_t active = 0, waiting = 0;
};
JobCounts job_counts();
void set_job_degree(uint32_t degree);

extern const PolicyChoice kJobChoice;  // /proc/sys/kernel/sched/jobs_policy

void submit_job(Thread& thread, uint64_t service_nanoseconds);  // in place of start_thread()
void job_ended();

// --- for the dispatcher
void jobs_init();
void copy_to_jobs(const struct Tunable& tunable);  // run_queue held
bool admit_job_now(Thread& thread);                // run_queue held; false: it does not wait
