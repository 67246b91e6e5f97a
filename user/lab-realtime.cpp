// lab-realtime: periodic tasks, each of which must have computed for RUNTIME before its next PERIOD
// begins, beside a program that computes without end; under each policy it counts the deadlines that
// were missed. Time-sharing knows no deadlines; fixed priorities (the shortest period is the highest:
// rate monotonic) keep them up to about 69 % of the CPU, earliest deadline first up to all that the
// kernel admits.
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "user/lab/command.hpp"
#include "user/lab/random.hpp"
#include "user/lab/setting.hpp"
#include "user/lab/table.hpp"

namespace {

constexpr char kHelp[] =
    "usage: lab-realtime [--time MS] [--random N [--seed S]] [--json] [PERIOD:RUNTIME...]\n"
    "Periodic tasks (milliseconds; 20:10 50:22 unless given) beside a program that never stops, "
    "under\n"
    "each policy for --time (600): how many deadlines were missed, how late the latest was, and\n"
    "whether the kernel admitted them: it promises deadlines only up to a limit.\n"
    "    # lab-realtime 20:10 50:22\n"
    "    2 tasks want 94.0 % of the CPU; deadlines are promised up to 95 %\n"
    "    policy    order                admitted  deadlines  missed  latest ms\n"
    "    rr        in turns                  all         42      41      275.8\n"
    "    fifo      in order of arrival       all         42      17       12.1\n"
    "    priority  shortest period           all         42       6        2.1\n"
    "    deadline  earliest deadline         all         42       0        0.0\n";

constexpr long kMostMs = 10'000;
constexpr int64_t kMs = 1'000'000;

struct Task {
    long period, runtime;
};
struct Count {
    long deadlines, missed, refused;
    int64_t latest;
};
struct Attributes {  // struct sched_attr
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
};
constexpr uint32_t kOther = 0, kFifo = 1, kDeadline = 6;
struct Policy {
    const char *name, *order;
    uint32_t number;
    bool by_period;
};
constexpr Policy kPolicies[] = {{"rr", "in turns", kOther, false},
                                {"fifo", "in order of arrival", kFifo, false},
                                {"priority", "shortest period", kFifo, true},
                                {"deadline", "earliest deadline", kDeadline, false}};

// 0 or an error number.
int choose(const Policy& policy, const Task& task, uint32_t priority) {
    Attributes attributes{};
    attributes.size = sizeof attributes;
    attributes.policy = policy.number;
    if (policy.number == kFifo) attributes.priority = policy.by_period ? priority : 50;
    if (policy.number == kDeadline) {
        // A little more than it needs: its own measuring takes time as well.
        attributes.runtime = static_cast<uint64_t>(task.runtime * kMs + kMs / 20);
        attributes.deadline = attributes.period = static_cast<uint64_t>(task.period * kMs);
    }
    return syscall(SYS_sched_setattr, 0, &attributes, 0) < 0 ? errno : 0;
}

// The largest part of the CPU for which the kernel promises a deadline.
double admission_limit() {
    const pid_t child = fork();
    if (child < 0) lab::fail("fork: %s", strerror(errno));
    if (child == 0) {
        constexpr uint64_t kPeriod = 100 * kMs;
        uint64_t least = 0, most = kPeriod;
        while (most - least > kPeriod / 10'000) {
            Attributes attributes{};
            attributes.size = sizeof attributes;
            attributes.policy = kDeadline;
            attributes.runtime = (least + most) / 2;
            attributes.deadline = attributes.period = kPeriod;
            const bool admitted = syscall(SYS_sched_setattr, 0, &attributes, 0) == 0;
            (admitted ? least : most) = attributes.runtime;
        }
        _exit(static_cast<int>((most * 100 + kPeriod / 2) / kPeriod));
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WEXITSTATUS(status) / 100.0;
}

// Its jobs come at zero, zero + period...; each wants its runtime before the next one comes.
[[noreturn]] void be_task(const Task& task, int64_t zero, long time, Count& count) {
    for (long at = 0; at + task.period <= time; at += task.period) {
        lab::sleep_until(zero + at * kMs);
        const int64_t end = lab::now(CLOCK_THREAD_CPUTIME_ID) + task.runtime * kMs;
        while (lab::now(CLOCK_THREAD_CPUTIME_ID) < end)
            for (int n = 0; n < 200; ++n) asm volatile("");
        const int64_t late = lab::now() - (zero + (at + task.period) * kMs);
        ++count.deadlines;
        count.missed += late > 0;
        count.latest = std::max(count.latest, late);
    }
    _exit(0);
}

Count run(const Policy& policy, const std::vector<Task>& tasks, long time, Count* counts) {
    memset(counts, 0, sizeof(Count) * tasks.size());
    const int64_t zero = lab::now() + 20 * kMs;
    std::vector<pid_t> children;
    for (size_t i = 0; i < tasks.size(); ++i) {
        uint32_t priority = 90;  // one less for each task with a shorter period
        for (size_t k = 0; k < tasks.size(); ++k)
            priority -=
                tasks[k].period < tasks[i].period || (tasks[k].period == tasks[i].period && k < i);
        const pid_t child = fork();
        if (child < 0) lab::fail("fork: %s", strerror(errno));
        if (child == 0) {
            prctl(PR_SET_NAME, ("T" + std::to_string(i + 1)).c_str());  // for ps, and for traces
            if (const int error = choose(policy, tasks[i], priority)) {
                if (error != EBUSY) lab::fail("%s: %s", policy.name, strerror(error));
                counts[i].refused = 1;
                _exit(0);
            }
            be_task(tasks[i], zero, time, counts[i]);
        }
        children.push_back(child);
    }
    const pid_t hog = fork();
    if (hog == 0)
        for (;;) asm volatile("");
    for (const pid_t child : children) waitpid(child, nullptr, 0);
    kill(hog, SIGKILL);
    waitpid(hog, nullptr, 0);
    Count all{};
    for (size_t i = 0; i < tasks.size(); ++i) {
        all.deadlines += counts[i].deadlines;
        all.missed += counts[i].missed;
        all.refused += counts[i].refused;
        all.latest = std::max(all.latest, counts[i].latest);
    }
    return all;
}

Task read_task(const std::string& word) {
    const std::vector<std::string> fields = lab::split(word, ":");
    if (fields.size() != 2)
        lab::refuse("a task is PERIOD:RUNTIME, like 20:10; not '%s'", word.c_str());
    const long period = lab::number("PERIOD", fields[0], 2, kMostMs);
    return {period, lab::number("RUNTIME", fields[1], 1, period)};
}

// Together they want 75 to 92 % of the CPU.
std::vector<Task> random_tasks(long count, long seed) {
    lab::Random random(seed);
    std::vector<Task> tasks;
    double left = static_cast<double>(random.between(75, 92)) / 100;
    for (long i = 0; i < count; ++i) {
        const long period = random.between(10 + 10 * i, 20 + 20 * i);
        const double share = left / static_cast<double>(count - i);
        const long runtime = std::max(1l, static_cast<long>(share * static_cast<double>(period)));
        left -= static_cast<double>(runtime) / static_cast<double>(period);
        tasks.push_back({period, runtime});
    }
    return tasks;
}

}  // namespace

int main(int argc, char** argv) {
    long time = 600, random = 0, seed = 1;
    bool json = false;
    const std::vector<std::string> words = lab::Command(kHelp)
                                               .number("--time", time, 10, 600'000)
                                               .random(random, 20, seed)
                                               .flag("--json", json)
                                               .parse(argc, argv);
    std::vector<Task> tasks = random_tasks(random, seed);
    for (const std::string& word : words) tasks.push_back(read_task(word));
    if (tasks.empty()) tasks = {{20, 10}, {50, 22}};
    double share = 0;
    std::vector<lab::Object> list;
    for (const Task& task : tasks) {
        share += static_cast<double>(task.runtime) / static_cast<double>(task.period);
        list.push_back(lab::Object().add("period_ms", task.period).add("runtime_ms", task.runtime));
    }
    const double most_promised = admission_limit();
    auto* counts =
        static_cast<Count*>(mmap(nullptr, sizeof(Count) * tasks.size(), PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    if (counts == MAP_FAILED) lab::fail("memory: %s", strerror(errno));
    lab::Setting fair("/proc/sys/kernel/sched/policy", "rr");
    // Fixed priorities need not leave time to others here; deadlines are the kernel's own promise.
    lab::Setting limit("/proc/sys/kernel/sched/realtime_limit_us", "0");
    lab::Table table({{"policy", "policy"},
                      {"order", "order"},
                      {"admitted", "admitted"},
                      {"deadlines", "deadlines"},
                      {"missed", "missed"},
                      {"latest_ms", "latest ms"}});
    for (const Policy& policy : kPolicies) {
        const Count all = run(policy, tasks, time, counts);
        const long admitted = static_cast<long>(tasks.size()) - all.refused;
        table.row({policy.name, policy.order,
                   lab::Cell(all.refused
                                 ? std::to_string(admitted) + " of " + std::to_string(tasks.size())
                                 : "all",
                             admitted),
                   all.deadlines, all.missed,
                   lab::Decimal{static_cast<double>(all.latest) / 1e6, 1}});
    }
    if (json) {
        lab::Object()
            .add("lab", "lab-realtime")
            .add("input", lab::Object().add("tasks", list).add("time_ms", time))
            .add("utilisation", lab::Decimal{share, 4})
            .add("admission_limit", lab::Decimal{most_promised, 2})
            .add("rows", table.rows())
            .print();
        return 0;
    }
    printf("%zu tasks want %.1f %% of the CPU; deadlines are promised up to %.0f %%\n",
           tasks.size(), 100 * share, 100 * most_promised);
    table.print();
}
