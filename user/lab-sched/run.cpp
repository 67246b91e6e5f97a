// Each job is a process. It declares its burst and its priority, sleeps until it arrives, burns CPU
// time until it has had its burst, and blocks until all are done. The kernel's trace then says
// who ran when.
// All nominal times are whole units after time 0, which is a whole unit of the monotonic clock.
// Things happen a few microseconds late, never early: an arrival at the instant another job's turn
// or burst ends is then queued before that end. Lateness must not add up, so a job that has less
// than 1 % of a unit to go just after a whole unit is done; and quanta are a hair longer than asked
// for, so that a burst which fills its last turn ends before the turn does.

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
#include <map>
#include <memory>

#include "user/lab-sched/lab.hpp"
#include "user/lab/command.hpp"
#include "user/lab/setting.hpp"

namespace {

const std::string kSettings = "/proc/sys/kernel/sched/";

struct Shared {
    volatile int asleep, done;
    volatile int late;
};

// The policy's figures, as the options want them, until the run is over.
class Figures {
  public:
    explicit Figures(const Options& options);

  private:
    void set(const char* name, const std::string& value) {
        settings_.push_back(std::make_unique<lab::Setting>(kSettings + name, value));
    }
    std::vector<std::unique_ptr<lab::Setting>> settings_;
};

Figures::Figures(const Options& options) {
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
}

struct Attributes {  // struct sched_attr
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
};

void spin(int64_t rounds) {
    for (int i = static_cast<int>(std::min<int64_t>(rounds, INT32_MAX)); i > 0; --i)
        asm volatile("");
}

// How many nanoseconds a round of that takes, at least.
int64_t round_time() {
    constexpr int kRounds = 100'000;
    const int64_t start = lab::now(CLOCK_THREAD_CPUTIME_ID);
    spin(kRounds);
    return (lab::now(CLOCK_THREAD_CPUTIME_ID) - start) / kRounds + 1;
}

[[noreturn]] void be_job(const Job& job, int64_t zero, int64_t unit, Shared& shared,
                         int end_of_all) {
    Attributes attributes{};
    attributes.size = sizeof attributes;
    attributes.nice = static_cast<int32_t>(-job.priority);
    attributes.runtime = static_cast<uint64_t>(job.burst * unit);
    const int64_t arrival = zero + job.arrival * unit;
    const int64_t nanoseconds_a_round = round_time();
    // For those who measure by the trace: when its work comes, and how much that is.
    constexpr int64_t kMs = 1'000'000;  // a mark is short
    lab::write_file("/proc/trace_marker", "work " + std::to_string(arrival / kMs) + " " +
                                              std::to_string(job.burst * unit / kMs));
    // Last: what it computes from here on counts as service already had.
    if (syscall(SYS_sched_setattr, 0, &attributes, 0) < 0) _exit(errno);
    if (lab::now() >= zero) shared.late = 1;
    shared.asleep = shared.asleep + 1;
    lab::sleep_until(arrival);
    const int64_t end = lab::now(CLOCK_THREAD_CPUTIME_ID) + job.burst * unit;
    constexpr int64_t kInterrupt = 10'000;  // so late may an arrival's be
    for (int64_t left; (left = end - lab::now(CLOCK_THREAD_CPUTIME_ID)) > -kInterrupt;) {
        const bool nearly = left < unit / 100;
        const int64_t into_unit = (lab::now() - zero) % unit;
        if (nearly && into_unit >= kInterrupt && into_unit < unit / 50) break;
        // Half of what is left, lest the trace is full of readings of the clock.
        if (!nearly) spin(left / 2 / nanoseconds_a_round);
    }

    shared.done = shared.done + 1;
    char byte;
    while (read(end_of_all, &byte, 1) < 0 && errno == EINTR) {
    }
    _exit(0);
}

void wait_for_all(const std::vector<pid_t>& children) {
    int bad = 0;
    for (pid_t child : children)
        if (int status; waitpid(child, &status, 0) == child && WIFEXITED(status) && status)
            bad = WEXITSTATUS(status);
    if (bad) lab::fail("a job could not begin: %s", strerror(bad));
}

// False: the jobs were not ready when time 0 came, so long after they began.
bool try_workload(const Options& options, int64_t preparation, std::vector<Turn>& turns) {
    const int64_t unit = options.unit_ms * 1'000'000ll;
    auto* shared = static_cast<Shared*>(
        mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    int end_of_all[2];
    if (shared == MAP_FAILED || pipe(end_of_all)) lab::fail("%s", strerror(errno));
    // The jobs get ready under another policy, so that they come new to the chosen one.
    lab::Setting policy(kSettings + "policy", "fcfs");
    const Figures figures(options);
    const lab::Setting events("/proc/sys/kernel/trace/events", "+sched");

    const int64_t zero = (lab::now() + preparation + unit - 1) / unit * unit;
    std::map<int, size_t> tids;
    std::vector<pid_t> children;
    for (size_t i = 0; i < options.jobs.size(); ++i) {
        pid_t child = fork();
        if (child < 0) lab::fail("fork: %s", strerror(errno));
        if (child == 0) {
            close(end_of_all[1]);
            prctl(PR_SET_NAME, options.jobs[i].name.c_str());  // for ps, and for traces
            be_job(options.jobs[i], zero, unit, *shared, end_of_all[0]);
        }
        tids[child] = i;
        children.push_back(child);
        // One after the other, so that those who arrive together do so in their order.
        while (shared->asleep <= static_cast<int>(i) && lab::now() < zero)
            lab::sleep_until(lab::now() + 300'000);
    }
    // Whatever the policy, the CPU is busy as long as there is work: so the end is known.
    std::vector<Job> jobs = options.jobs;
    std::sort(jobs.begin(), jobs.end(),
              [](const Job& a, const Job& b) { return a.arrival < b.arrival; });
    long finish = 0;
    for (const Job& job : jobs) finish = std::max(finish, job.arrival) + job.burst;

    const int count = static_cast<int>(jobs.size());
    policy.set(options.policy);
    if (shared->asleep < count || shared->late || lab::now() >= zero) {
        for (pid_t child : children) kill(child, SIGKILL);
        wait_for_all(children);
        close(end_of_all[0]);
        close(end_of_all[1]);
        return false;
    }
    lab::sleep_until(zero + finish * unit + unit / 2);
    for (int i = 0; shared->done < count && i < 20 + 2 * finish; ++i)
        lab::sleep_until(lab::now() + unit / 2);
    turns = turns_in_trace(tids, options, zero);
    const bool done = shared->done == count;
    policy.set(policy.before());
    close(end_of_all[1]);
    wait_for_all(children);
    if (!done) lab::fail("some jobs did not finish in time");
    return true;
}

}  // namespace

// A first run may have to wait for the program's own pages: the next one has them, and more time.
std::vector<Turn> run_workload(const Options& options) {
    std::vector<Turn> turns;
    int64_t preparation = 20'000'000 + 5'000'000 * static_cast<int64_t>(options.jobs.size());
    for (int tries = 0; tries < 4; ++tries, preparation *= 2)
        if (try_workload(options, preparation, turns)) return turns;
    lab::fail("the machine is too slow for this: jobs were not ready at time 0");
}
