// Each job is a process. It declares its burst and its priority, sleeps until it arrives, burns CPU
// time until it has had its burst, and blocks until all are done. The kernel's trace then says who
// ran when (trace.cpp).
// All nominal times are whole units after time 0, which is a whole unit of the monotonic clock.
// Things happen a few microseconds late, never early: an arrival at the instant another job's turn
// or burst ends is then queued before that end. Lateness must not add up, so a job that has less
// than 1 % of a unit to go just after a whole unit is done; and quanta are a hair longer than asked
// for, so that a burst which fills its last turn ends before the turn does.
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <map>

#include "user/lab-sched/lab.hpp"

namespace {

const std::string kSettings = "/proc/sys/kernel/sched/";
std::map<std::string, std::string> former_settings;  // settings to put back
pid_t runner_pid;

struct Shared {
    volatile int asleep, done;
    volatile int late;
};

int64_t now(clockid_t clock) {
    timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * 1'000'000'000ll + t.tv_nsec;
}
void sleep_until(int64_t time) {
    timespec t{static_cast<time_t>(time / 1'000'000'000), static_cast<long>(time % 1'000'000'000)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, nullptr) == EINTR) {
    }
}

// 0 or an error number.
int write_setting(const std::string& name, const std::string& value) {
    int file = open((kSettings + name).c_str(), O_WRONLY);
    if (file < 0) return errno;
    int error = write(file, value.data(), value.size()) < 0 ? errno : 0;
    close(file);
    return error;
}
std::string read_setting(const std::string& name) {
    std::ifstream file(kSettings + name);
    std::string text;
    std::getline(file, text);
    size_t bracket = text.find('[');
    if (bracket == std::string::npos) return text;
    return text.substr(bracket + 1, text.find(']') - bracket - 1);
}
void put_back_settings() {
    if (getpid() != runner_pid) return;
    for (const auto& [name, value] : former_settings) write_setting(name, value);
}
void set(const std::string& name, const std::string& value) {
    former_settings.insert({name, read_setting(name)});
    if (int error = write_setting(name, value))
        fail(1, "%s = %s: %s", name.c_str(), value.c_str(), strerror(error));
}

void record_switches() {
    const std::string events = "../trace/events";
    std::ifstream file(kSettings + events);
    std::string categories;
    std::getline(file, categories);
    if (categories.find("[sched]") != std::string::npos) return;
    former_settings.insert({events, "-sched"});
    write_setting(events, "+sched");
}

void choose_figures(const Options& options) {
    const long unit = options.unit_ms * 1000;
    auto quanta = [&](const std::vector<long>& units) {
        std::string list;
        constexpr long kHair = 30;  // microseconds
        for (long n : units) list += (list.empty() ? "" : ",") + std::to_string(n * unit + kHair);
        return list;
    };
    const bool none = options.quanta.empty();
    const std::string first = quanta({none ? 1 : options.quanta[0]});
    set("rr_quantum_us", first);
    set("stride_quantum_us", first);
    set("priority_quantum_us", first);
    set("mlfq_quanta_us", quanta(none ? std::vector<long>{1, 2, 4} : options.quanta));
    set("mlfq_boost_us", std::to_string(options.boost * unit));
    set("priority_preemptive", options.preemptive ? "1" : "0");
    set("priority_aging_us", std::to_string(options.ageing * unit));
    set("service_grain_us", std::to_string(std::max(unit / 10, 1l)));
    record_switches();
}

struct Attributes {  // struct sched_attr
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
};

[[noreturn]] void be_job(const Job& job, int64_t zero, int64_t unit, Shared& shared,
                         int end_of_all) {
    Attributes attributes{};
    attributes.size = sizeof attributes;
    attributes.nice = static_cast<int32_t>(-job.priority);
    attributes.runtime = static_cast<uint64_t>(job.burst * unit);
    if (syscall(SYS_sched_setattr, 0, &attributes, 0) < 0) _exit(errno);
    const int64_t arrival = zero + job.arrival * unit;
    now(CLOCK_THREAD_CPUTIME_ID);  // its code and stack are in memory
    if (now(CLOCK_MONOTONIC) >= zero) shared.late = 1;
    shared.asleep = shared.asleep + 1;
    sleep_until(arrival);
    const int64_t end = now(CLOCK_THREAD_CPUTIME_ID) + job.burst * unit;
    constexpr int64_t kInterrupt = 10'000;  // so late may an arrival's be
    for (int64_t left; (left = end - now(CLOCK_THREAD_CPUTIME_ID)) > -kInterrupt;) {
        const bool nearly = left < unit / 100;
        const int64_t into_unit = (now(CLOCK_MONOTONIC) - zero) % unit;
        if (nearly && into_unit >= kInterrupt && into_unit < unit / 50) break;
        for (int i = nearly ? 0 : 1000; i > 0; --i) asm volatile("");
    }
    shared.done = shared.done + 1;
    char byte;
    while (read(end_of_all, &byte, 1) < 0 && errno == EINTR) {
    }
    _exit(0);
}

// What each job does after its burst is no part of the workload.
std::vector<Turn> turns_of(const std::map<int, size_t>& tids, const std::vector<Job>& jobs,
                           int64_t zero, int64_t unit) {
    std::vector<Turn> turns;
    std::vector<int64_t> left;
    for (const Job& job : jobs) left.push_back(job.burst * unit);
    for (const CpuTurn& turn : read_turns(zero)) {
        auto found = tids.find(turn.tid);
        if (found == tids.end() || left[found->second] < unit / 50) continue;
        left[found->second] -= turn.end - turn.start;
        turns.push_back({found->second, turn.start - zero, turn.end - zero, turn.turn_over});
    }
    return turns;
}

}  // namespace

std::vector<Turn> run_workload(const Options& options) {
    const int64_t unit = options.unit_ms * 1'000'000ll;
    auto* shared = static_cast<Shared*>(
        mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    int end_of_all[2];
    if (shared == MAP_FAILED || pipe(end_of_all)) fail(1, "%s", strerror(errno));
    runner_pid = getpid();
    atexit(put_back_settings);
    // The jobs get ready under another policy, so that they come new to the chosen one.
    set("policy", options.policy);
    set("policy", "fcfs");
    choose_figures(options);

    const int64_t preparation = 20'000'000 + 5'000'000 * static_cast<int64_t>(options.jobs.size());
    const int64_t zero = (now(CLOCK_MONOTONIC) + preparation + unit - 1) / unit * unit;
    std::map<int, size_t> tids;
    std::vector<pid_t> children;
    for (size_t i = 0; i < options.jobs.size(); ++i) {
        pid_t child = fork();
        if (child < 0) fail(1, "fork: %s", strerror(errno));
        if (child == 0) {
            close(end_of_all[1]);
            prctl(PR_SET_NAME, options.jobs[i].name.c_str());  // for ps, and for traces
            be_job(options.jobs[i], zero, unit, *shared, end_of_all[0]);
        }
        tids[child] = i;
        children.push_back(child);
        // One after the other, so that those who arrive together do so in their order.
        while (shared->asleep <= static_cast<int>(i) && now(CLOCK_MONOTONIC) < zero)
            sleep_until(now(CLOCK_MONOTONIC) + 300'000);
    }
    // Whatever the policy, the CPU is busy as long as there is work: so the end is known.
    std::vector<Job> jobs = options.jobs;
    std::sort(jobs.begin(), jobs.end(),
              [](const Job& a, const Job& b) { return a.arrival < b.arrival; });
    long finish = 0;
    for (const Job& job : jobs) finish = std::max(finish, job.arrival) + job.burst;

    const int count = static_cast<int>(jobs.size());
    set("policy", options.policy);
    const bool late = shared->asleep < count || now(CLOCK_MONOTONIC) >= zero;
    sleep_until(zero + finish * unit + unit / 2);
    for (int i = 0; !late && shared->done < count && i < 20 + 2 * finish; ++i)
        sleep_until(now(CLOCK_MONOTONIC) + unit / 2);
    std::vector<Turn> turns = turns_of(tids, options.jobs, zero, unit);
    const bool done = shared->done == count;
    write_setting("policy", former_settings["policy"]);
    close(end_of_all[1]);
    int status, bad = 0;
    for (pid_t child : children)
        if (waitpid(child, &status, 0) == child && status) bad = WEXITSTATUS(status);
    if (bad) fail(1, "a job could not begin: %s", strerror(bad));
    if (late || shared->late)
        fail(1, "the machine is too slow for this: jobs were not ready at time 0");
    if (!done) fail(1, "some jobs did not finish in time");
    return turns;
}
