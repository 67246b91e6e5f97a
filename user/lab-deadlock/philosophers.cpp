// Five philosophers whose forks are resources, under one strategy after the other: who naively takes
// the left fork, then the right one deadlocks under `none`; each of the others prevents, avoids or
// cures it, and costs something: time, denied or repeated requests, fork-time in use.
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "user/lab-deadlock/lab.hpp"

namespace {

constexpr unsigned kSeats = 5;
constexpr int64_t kPatience = 5000000;  // microseconds until detection must have found it

struct Table {  // shared by all
    volatile unsigned meals[kSeats], repeated[kSeats];
    volatile int using_fork[kSeats];
    volatile unsigned broken;  // a fork in two hands
    unsigned seated;           // have had their first fork
};
Table* table;

int64_t now_us() {
    timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000ll + t.tv_nsec / 1000;
}

Row forks(std::initializer_list<unsigned> which) {
    Row row(kSeats, 0);
    for (unsigned f : which) row[f] = 1;
    return row;
}

// Both forks, by the rules of the strategy. 0 or an errno.
int take_both(Party& party, const std::string& strategy, unsigned left, unsigned right) {
    if (strategy == "all-at-once") return party.request(forks({left, right}));
    unsigned first = left, second = right;
    if (strategy == "ordered" && right < left) std::swap(first, second);
    if (int error = party.request(forks({first}))) return error;
    // The worst case, and no matter of luck: all have their first fork before one asks for more.
    if ((strategy == "none" || strategy == "detect") && table->meals[left] == 0 &&
        table->repeated[left] == 0)
        for (__atomic_fetch_add(&table->seated, 1, __ATOMIC_SEQ_CST);
             __atomic_load_n(&table->seated, __ATOMIC_SEQ_CST) < kSeats;)
            sched_yield();
    sched_yield();
    if (strategy != "release-first") return party.request(forks({second}));
    party.release_all();
    return party.request(forks({first, second}));
}

[[noreturn]] void dine(unsigned seat, const std::string& strategy, unsigned meals,
                       unsigned eat_ms) {
    const unsigned left = seat, right = (seat + 1) % kSeats;
    Party party("P" + std::to_string(seat));
    if (party.claim(forks({left, right}))) fail("the claim");
    while (table->meals[seat] < meals) {
        if (int error = take_both(party, strategy, left, right)) {
            if (error != EDEADLK) fail("%s: %s", strategy.c_str(), strerror(error));
            ++table->repeated[seat];
            sched_yield();
            continue;
        }
        for (unsigned f : {left, right})
            if (__atomic_fetch_add(&table->using_fork[f], 1, __ATOMIC_SEQ_CST)) ++table->broken;
        timespec time = {0, long(eat_ms) * 1000000};
        if (eat_ms) nanosleep(&time, nullptr);
        for (unsigned f : {left, right})
            __atomic_fetch_sub(&table->using_fork[f], 1, __ATOMIC_SEQ_CST);
        ++table->meals[seat];
        party.release_all();
    }
    _exit(0);
}

// Waits until all are done or the kernel has said for `patience` that they are deadlocked, which it
// does while each of them waits. Whether they finished.
bool watch(const std::vector<pid_t>& children, int64_t patience_us) {
    int64_t since = 0;  // when the deadlock was seen first; 0: there is none
    for (unsigned gone = 0;;) {
        pid_t pid = waitpid(-1, nullptr, WNOHANG);
        if (pid > 0 && ++gone == children.size()) return true;
        if (pid == 0) {
            if (read_state().deadlocked.empty())
                since = 0;
            else if (!since)
                since = now_us();
            if (since && now_us() - since >= patience_us) return false;
            timespec time = {0, 10000000};
            nanosleep(&time, nullptr);
        }
    }
}

unsigned sum(const volatile unsigned (&figures)[kSeats]) {
    unsigned total = 0;
    for (unsigned n : figures) total += n;
    return total;
}

bool run(const std::string& strategy, unsigned meals, unsigned eat_ms, bool dot, bool preemptible) {
    set_strategy(strategy);
    memset(table, 0, sizeof *table);
    Party parent("table");
    for (unsigned f = 0; f < kSeats; f++)
        if (parent.add_type("fork" + std::to_string(f), 1, preemptible) != f)
            fail("/dev/resources is in use");
    const State before = read_state();
    const int64_t start = now_us();
    std::vector<pid_t> children;
    for (unsigned seat = 0; seat < kSeats; seat++) {
        pid_t pid = fork();
        if (pid < 0) fail("fork: %s", strerror(errno));
        if (pid == 0) dine(seat, strategy, meals, eat_ms);
        children.push_back(pid);
    }
    const bool finished = watch(children, strategy == "detect" ? kPatience : 0);
    const int64_t took = now_us() - start;
    const State after = read_state();
    auto grew = [&](const char* name) {
        return (unsigned long long)(after.counts.at(name) - before.counts.at(name));
    };
    // Fork-time in which a philosopher ate, of all fork-time.
    const double used = took ? 2.0 * sum(table->meals) * eat_ms * 1000 / (kSeats * took) : 0;
    printf("%-14s %-10s %8u %9.1f %8llu %8llu %8llu %6llu %9u %6.1f %%\n", strategy.c_str(),
           finished ? "finished" : "DEADLOCK", sum(table->meals), took / 1000.0, grew("requests"),
           grew("waits"), grew("victims"), grew("taken"), sum(table->repeated), 100 * used);
    if (!finished) printf("  in it:%s%s\n", " ", after.deadlocked.c_str());
    if (!finished && dot) fputs(read_all("/proc/deadlock.dot").c_str(), stdout);
    fflush(stdout);
    for (pid_t pid : children)
        if (!finished) kill(pid, SIGKILL);
    while (waitpid(-1, nullptr, 0) > 0) {
    }
    if (table->broken) fail("%s: a fork was in two hands", strategy.c_str());
    return finished == (strategy != "none") && (!finished || sum(table->meals) == meals * kSeats);
}

}  // namespace

int run_philosophers(const std::vector<std::string>& strategies, unsigned meals, unsigned eat_ms,
                     bool dot, bool preemptible) {
    table = static_cast<Table*>(
        mmap(nullptr, sizeof *table, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    printf(
        "strategy       end           meals        ms requests    waits  victims  taken  repeated  "
        "in "
        "use\n");
    bool as_expected = true;
    for (const std::string& strategy : strategies)
        as_expected &= run(strategy, meals, eat_ms, dot, preemptible);
    return as_expected ? 0 : 1;
}
