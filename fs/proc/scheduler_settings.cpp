// /proc/sys/kernel/sched: the policy, a file for each tunable of any, suspending, jobs.
#include "fs/proc/process_source.hpp"
#include "fs/proc/policy_file.hpp"
#include "kernel/sched/jobs.hpp"
#include "kernel/sched/policy_control.hpp"
#include "kernel/sched/schedulers.hpp"

namespace {

constexpr uint32_t kCommand = kTypeRegular | 0200, kForAll = kTypeRegular | 0666;

Result<void> suspend(std::string_view text, bool suspended) {
    return process_source().suspend(static_cast<int>(TRY(number_in(text, 0, INT32_MAX))),
                                    suspended);
}

// --- jobs (kernel/sched/jobs.hpp)

Result<void> set_degree(std::string_view text) {
    set_job_degree(TRY(number_in(text, 0, INT32_MAX)));
    return {};
}
// The caller's next child is a job with this service time in microseconds, 0 if it isn't known.
Result<void> submit(std::string_view text) {
    uint64_t service;
    if (!parse_number(text, service) || service > kMaxMicroseconds) return Errno::inval;
    Thread::current().submits_job = true;
    Thread::current().job_service = service * 1000;
    return {};
}

constexpr ProcEntry kSchedulerSettings[] = {
    policy_file<kSchedulerChoice>("policy"),
    {.name = "tunables", .show = [](TextSink& to) { kSchedulerChoice.show_tunables(to); }},
    {.name = "suspend",
     .mode = kCommand,
     .store = [](std::string_view text) { return suspend(text, true); }},
    {.name = "resume",
     .mode = kCommand,
     .store = [](std::string_view text) { return suspend(text, false); }},
    policy_file<kJobChoice>("jobs_policy"),
    {.name = "jobs_degree",
     .show = [](TextSink& to) { format_to(to, "{}\n", job_counts().degree); },
     .store = set_degree},
    {.name = "jobs",
     .mode = kForAll,
     .show =
         [](TextSink& to) {
             const JobCounts counts = job_counts();
             format_to(to, "active {}\nwaiting {}\n", counts.active, counts.waiting);
         },
     .store = submit,
     .acts_on_user = true},
};

constinit ProcDirectory proc_sched;
PROC_FILES(proc_sched, kSchedulerSettings);
constexpr auto kSchedulerTunableFiles = tunable_files<kSchedulerChoice, kSchedulerTunables>();
PROC_FILES(proc_sched, kSchedulerTunableFiles);
constexpr ProcEntry kSchedulerDirectory[] = {{.name = "sched", .added = &proc_sched}};
PROC_FILES(proc_sys_kernel, kSchedulerDirectory);

}  // namespace
