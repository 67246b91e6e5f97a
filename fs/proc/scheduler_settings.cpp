// /proc/sys/kernel/sched: the policy, a file for each of its figures, the run log, suspending; and
// /proc/sched_log. A figure that is a list is written and shown with commas.
#include "fs/proc/process_source.hpp"
#include "fs/proc/policy_file.hpp"
#include "kernel/sched/jobs.hpp"
#include "kernel/sched/policy_control.hpp"
#include "kernel/sched/run_log.hpp"

namespace {

constexpr uint32_t kCommand = kTypeRegular | 0200, kForAll = kTypeRegular | 0666;

Result<void> show_log_size(TextSink& to, const ProcTarget&) {
    format_to(to, "{}\n", run_log_capacity());
    return {};
}
Result<void> set_log_size(std::string_view text) {
    uint64_t entries;
    if (!parse_number(text, entries) || entries > kMaxRunLog) return Errno::inval;
    return run_log_resize(static_cast<uint32_t>(entries));
}

Result<void> suspend(std::string_view text, bool suspended) {
    uint64_t pid;
    if (!parse_number(text, pid) || pid > INT32_MAX) return Errno::inval;
    return process_source().suspend(static_cast<int>(pid), suspended);
}
Result<void> show_nothing(TextSink&, const ProcTarget&) { return {}; }

// --- jobs (kernel/sched/jobs.hpp)

Result<void> set_degree(std::string_view text) {
    uint64_t degree;
    if (!parse_number(text, degree) || degree > INT32_MAX) return Errno::inval;
    set_job_degree(static_cast<uint32_t>(degree));
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
    {.name = "log", .generate = show_log_size, .store = set_log_size},
    {.name = "suspend",
     .mode = kCommand,
     .generate = show_nothing,
     .store = [](std::string_view text) { return suspend(text, true); }},
    {.name = "resume",
     .mode = kCommand,
     .generate = show_nothing,
     .store = [](std::string_view text) { return suspend(text, false); }},
    policy_file<kJobChoice>("jobs_policy"),
    {.name = "jobs_degree",
     .generate = [](TextSink& to, const ProcTarget&) -> Result<void> {
         format_to(to, "{}\n", job_counts().degree);
         return {};
     },
     .store = set_degree},
    {.name = "jobs",
     .mode = kForAll,
     .generate = [](TextSink& to, const ProcTarget&) -> Result<void> {
         const JobCounts counts = job_counts();
         format_to(to, "active {}\nwaiting {}\n", counts.active, counts.waiting);
         return {};
     },
     .store = submit,
     .acts_on_user = true},
};

// A line a turn: thread, start and end in nanoseconds since boot, why it ended; then how many were
// lost.
Result<void> show_run_log(TextSink& to, const ProcTarget&) {
    const uint64_t count = run_log_count();
    const uint64_t kept = count < run_log_capacity() ? count : run_log_capacity();
    uint64_t lost = count - kept;
    for (uint64_t i = count - kept; i < count; ++i) {
        RunEntry entry;
        if (run_log_entry(i, entry))
            format_to(to, "{} {} {} {}\n", entry.tid, entry.start.raw(), entry.end.raw(),
                      entry.why);
        else
            ++lost;
    }
    if (lost) format_to(to, "lost {} 0 -\n", lost);
    return {};
}

constinit ProcDirectory proc_sched;
PROC_FILES(proc_sched, kSchedulerSettings);
constexpr auto kSchedulerTunableFiles = tunable_files<kSchedulerChoice, kSchedulerTunables>();
PROC_FILES(proc_sched, kSchedulerTunableFiles);
constexpr ProcEntry kSchedulerDirectory[] = {{.name = "sched", .added = &proc_sched}};
PROC_FILES(proc_sys_kernel, kSchedulerDirectory);
constexpr ProcEntry kLog[] = {
    {.name = "sched_log", .mode = kTypeRegular | 0400, .generate = show_run_log}};
PROC_FILES(proc_root, kLog);

}  // namespace
