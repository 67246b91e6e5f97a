// lab-batch: one set of jobs that compute and do I/O by turns, run three times: by a batch system (one
// job in the system), by a multiprogrammed one (--degree jobs, none of which is preempted), and by
// time sharing (all of them, round robin). It tells how busy the CPU was, and how long jobs took.
// A job's I/O is a device of its own that takes its time and needs no CPU: a sleep.
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "user/lab/command.hpp"
#include "user/lab/random.hpp"
#include "user/lab/setting.hpp"
#include "user/lab/table.hpp"

namespace {

using lab::Decimal;

constexpr char kHelp[] =
    "usage: lab-batch [--degree N] [--quantum MS] [--jobs N] [--cycles N] [--burst MS] [--io MS]\n"
    "                 [--random N [--seed S]] [--json] [CYCLES:BURST:IO...]\n"
    "Runs jobs that compute for BURST and do I/O for IO milliseconds, CYCLES times each, as a "
    "batch\n"
    "system, a multiprogrammed one (at most N jobs in it: 3) and time sharing (quantum: 10 ms) "
    "do.\n"
    "Jobs: those named; or N random ones; or --jobs (6) alike, of --cycles (5), --burst (4), --io "
    "(6).\n"
    "Turnaround, response (submission to first turn), and the time in the job queue and ready are "
    "means,\n"
    "in milliseconds.\n"
    "    # lab-batch 1:60:10 3:8:30 3:8:30\n"
    "    system            policy  degree  elapsed  CPU busy  jobs a second  turnaround  response "
    "...\n"
    "    batch             fcfs         1    299.8    36.4 %           10.0       185.1      85.7 "
    "...\n"
    "    multiprogramming  fcfs         3    183.3    59.4 %           16.4       144.9      43.5 "
    "...\n"
    "    time sharing      rr         all    141.2    77.1 %           21.2       128.2      10.0 "
    "...\n";

constexpr long kMostMs = 60'000, kMostJobs = 1000;

struct Job {
    long cycles, burst, io;
};
struct System {
    const char *name, *policy;
    long degree;
};
struct Times {  // of a job, in memory that all share
    int64_t first_turn, end;
    int64_t queue, ready;  // what it waited: to be let in, and when it was ready
};
struct Figures {
    double elapsed = 0, busy = 0, turnaround = 0, response = 0, queue = 0, ready = 0;
};

// A figure of /proc/self/sched, in nanoseconds.
int64_t figure(const std::string& text, const char* name) {
    const size_t at = text.find(name);
    const size_t colon = at == text.npos ? at : text.find(':', at);
    return colon == text.npos ? 0 : atoll(text.c_str() + colon + 1);
}

[[noreturn]] void be_job(const Job& job, Times& times) {
    times.first_turn = lab::now();
    for (long i = 0; i < job.cycles; ++i) {
        const int64_t end = lab::now(CLOCK_THREAD_CPUTIME_ID) + job.burst * 1'000'000;
        while (lab::now(CLOCK_THREAD_CPUTIME_ID) < end)
            for (int n = 0; n < 200; ++n) asm volatile("");
        lab::sleep_for(job.io * 1'000'000);
    }
    times.end = lab::now();
    const std::string told = lab::read_file("/proc/self/sched");
    times.queue = figure(told, "job_queue_time");
    times.ready = figure(told, "ready_time");
    _exit(0);
}

int64_t cpu_time_of(const rusage& usage) {
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1'000'000'000ll +
           (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1'000ll;
}

Figures run(const std::vector<Job>& jobs, Times* times) {
    std::vector<int64_t> submitted;
    const std::string submit = "/proc/sys/kernel/sched/jobs";
    for (size_t i = 0; i < jobs.size(); ++i) {
        // The next child is a job with this service time.
        lab::write_file(submit, std::to_string(jobs[i].cycles * jobs[i].burst * 1000));
        submitted.push_back(lab::now());
        const pid_t child = fork();
        if (child == 0) {
            prctl(PR_SET_NAME, ("J" + std::to_string(i + 1)).c_str());  // for ps, and for traces
            be_job(jobs[i], times[i]);
        }
        if (child < 0) lab::fail("fork: %s", strerror(errno));
    }
    int64_t busy = 0, finish = 0;
    Figures figures;
    for (size_t i = 0; i < jobs.size(); ++i) {
        rusage usage;
        if (wait4(-1, nullptr, 0, &usage) < 0) lab::fail("wait: %s", strerror(errno));
        busy += cpu_time_of(usage);
    }
    for (size_t i = 0; i < jobs.size(); ++i) {
        finish = std::max(finish, times[i].end);
        figures.turnaround += static_cast<double>(times[i].end - submitted[i]) / 1e6;
        figures.response += static_cast<double>(times[i].first_turn - submitted[i]) / 1e6;
        figures.queue += static_cast<double>(times[i].queue) / 1e6;
        figures.ready += static_cast<double>(times[i].ready) / 1e6;
    }
    const double count = static_cast<double>(jobs.size());
    figures.elapsed = static_cast<double>(finish - submitted[0]) / 1e6;
    figures.busy = static_cast<double>(busy) / 1e6 / figures.elapsed /
                   static_cast<double>(sysconf(_SC_NPROCESSORS_ONLN));
    figures.turnaround /= count;
    figures.response /= count;
    figures.queue /= count;
    figures.ready /= count;
    return figures;
}

Job read_job(const std::string& word) {
    const std::vector<std::string> fields = lab::split(word, ":");
    if (fields.size() != 3)
        lab::refuse("a job is CYCLES:BURST:IO, like 5:4:6; not '%s'", word.c_str());
    return {lab::number("CYCLES", fields[0], 1, kMostMs),
            lab::number("BURST", fields[1], 1, kMostMs), lab::number("IO", fields[2], 0, kMostMs)};
}

std::vector<Job> random_jobs(long count, long seed) {
    lab::Random random(seed);
    std::vector<Job> jobs;
    for (long i = 0; i < count; ++i) {
        const bool computes = random.chance(40);
        jobs.push_back({random.between(1, 4),
                        computes ? random.between(20, 60) : random.between(2, 8),
                        random.between(5, 30)});
    }
    return jobs;
}

lab::Object describe(const std::vector<Job>& jobs, long degree, long quantum) {
    std::vector<lab::Object> list;
    for (const Job& job : jobs)
        list.push_back(lab::Object()
                           .add("cycles", job.cycles)
                           .add("burst_ms", job.burst)
                           .add("io_ms", job.io));
    return lab::Object().add("jobs", list).add("degree", degree).add("quantum_ms", quantum);
}

}  // namespace

int main(int argc, char** argv) {
    long degree = 3, quantum = 10, count = 6, random = 0, seed = 1;
    Job alike{5, 4, 6};
    bool json = false;
    const std::vector<std::string> words = lab::Command(kHelp)
                                               .number("--degree", degree, 1, kMostJobs)
                                               .number("--quantum", quantum, 1, 1000)
                                               .number("--jobs", count, 1, kMostJobs)
                                               .number("--cycles", alike.cycles, 1, kMostMs)
                                               .number("--burst", alike.burst, 1, kMostMs)
                                               .number("--io", alike.io, 0, kMostMs)
                                               .random(random, kMostJobs, seed)
                                               .flag("--json", json)
                                               .parse(argc, argv);
    std::vector<Job> jobs = random_jobs(random, seed);
    for (const std::string& word : words) jobs.push_back(read_job(word));
    if (jobs.empty()) jobs.assign(static_cast<size_t>(count), alike);

    auto* times =
        static_cast<Times*>(mmap(nullptr, sizeof(Times) * jobs.size(), PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    if (times == MAP_FAILED) lab::fail("memory: %s", strerror(errno));
    const std::string settings = "/proc/sys/kernel/sched/";
    lab::Setting policy(settings + "policy"), limit(settings + "jobs_degree");
    lab::Setting turns(settings + "rr_quantum_us", std::to_string(quantum * 1000));
    lab::Table table({{"system", "system"},
                      {"policy", "policy"},
                      {"degree", "degree"},
                      {"elapsed_ms", "elapsed"},
                      {"utilisation", "CPU busy"},
                      {"throughput", "jobs a second"},
                      {"turnaround_ms", "turnaround"},
                      {"response_ms", "response"},
                      {"queue_ms", "in queue"},
                      {"ready_ms", "ready"}});
    for (const System& system :
         {System{"batch", "fcfs", 1}, System{"multiprogramming", "fcfs", degree},
          System{"time sharing", "rr", 0}}) {
        policy.set(system.policy);
        limit.set(std::to_string(system.degree));
        const Figures f = run(jobs, times);
        char busy[16];
        snprintf(busy, sizeof busy, "%.1f %%", 100 * f.busy);
        table.row({system.name, system.policy,
                   system.degree ? lab::Cell(std::to_string(system.degree), system.degree)
                                 : lab::Cell("all", nullptr),
                   Decimal{f.elapsed, 1}, lab::Cell(busy, Decimal{f.busy, 4}),
                   Decimal{1000 * static_cast<double>(jobs.size()) / f.elapsed, 1},
                   Decimal{f.turnaround, 1}, Decimal{f.response, 1}, Decimal{f.queue, 1},
                   Decimal{f.ready, 1}});
    }
    if (!json) return table.print(), 0;
    lab::Object()
        .add("lab", "lab-batch")
        .add("input", describe(jobs, degree, quantum))
        .add("rows", table.rows())
        .print();
}
