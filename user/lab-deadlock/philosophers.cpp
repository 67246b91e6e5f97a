// Philosophers whose forks are resources, under one strategy after the other. Each thinks, takes the
// left fork and serves itself with it, takes the right one too and eats. Naively that deadlocks under
// `none`; each of the others prevents, avoids or cures it, and costs something: time, denied or repeated
// requests, and forks that are held by one who does not use them, which is what a strategy wastes.
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "user/lab-deadlock/lab.hpp"
#include "user/lab/random.hpp"

namespace {

constexpr char kHelp[] =
    "usage: lab-deadlock philosophers [--meals N] [--think MS] [--serve MS] [--eat MS]\n"
    "                                 [--random N [--seed S]] [--take-away] [--dot] [--json]\n"
    "                                 [STRATEGY...]\n"
    "Five philosophers (or N with random times) under each strategy (default: all): --meals (10) "
    "each;\n"
    "they think (10 ms), serve themselves with the left fork (5), eat with both (10). In use: of "
    "all\n"
    "forks' time; wasted: held, and not used. --take-away: recovery may take forks away; --dot "
    "draws\n"
    "the deadlock. Status 0: only `none` deadlocks.\n"
    "    # lab-deadlock philosophers none all-at-once ordered\n"
    "    strategy     end       meals   ms  requests  waits  victims ...\n"
    "    none         DEADLOCK      0   15        10      5        0 ...\n"
    "    all-at-once  finished     50  379        50     37        0 ...\n"
    "    ordered      finished     50  381       100     73        0 ...\n";

constexpr long kMostSeats = 32, kMostMs = 60'000;
constexpr int64_t kMs = 1'000'000;
constexpr int64_t kPatience = 5'000 * kMs;  // until detection must have found it

struct Times {
    long think, serve, eat;
};
struct Seat {  // its own, in memory that all share
    unsigned meals, repeated;
    int64_t used, held, longest_wait;
    int in_use;  // its left fork: in how many hands
};
struct Table {
    Seat seats[kMostSeats];
    unsigned broken;  // a fork in two hands
    unsigned seated;  // have had their first fork
};
Table* table;

struct Options {
    std::vector<Times> times;
    long meals = 10;
    bool take_away = false, dot = false;
    uint32_t seats() const { return static_cast<uint32_t>(times.size()); }
};

void pass(long ms) {
    if (ms) lab::sleep_for(ms * kMs);
}

class Philosopher {
  public:
    Philosopher(const Options& options, uint32_t seat, const std::string& strategy)
        : options_(options),
          strategy_(strategy),
          seat_(seat),
          left_(seat),
          right_((seat + 1) % options.seats()),
          me_(table->seats[seat]),
          party_("P" + std::to_string(seat)) {
        if (party_.claim(forks({left_, right_}))) lab::fail("the claim");
    }
    void dine() {
        while (static_cast<long>(me_.meals) < options_.meals) {
            pass(options_.times[seat_].think);
            if (const int error = take_and_eat()) {
                if (error != EDEADLK) lab::fail("%s: %s", strategy_.c_str(), strerror(error));
                ++me_.repeated;
                sched_yield();
            }
        }
    }

  private:
    Row forks(std::initializer_list<uint32_t> which) const {
        return one_unit(options_.seats(), which);
    }
    int ask(std::initializer_list<uint32_t> which) {
        const int64_t start = lab::now();
        const int error = party_.request(forks(which));
        me_.longest_wait = std::max(me_.longest_wait, lab::now() - start);
        return error;
    }
    // The worst case, and no matter of luck: all have their first fork before one asks for more.
    void wait_for_the_others() {
        if ((strategy_ != "none" && strategy_ != "detect") || me_.meals || me_.repeated) return;
        __atomic_fetch_add(&table->seated, 1, __ATOMIC_SEQ_CST);
        while (__atomic_load_n(&table->seated, __ATOMIC_SEQ_CST) < options_.seats()) sched_yield();
    }
    void serve() {
        pass(options_.times[seat_].serve);
        me_.used += options_.times[seat_].serve * kMs;
    }
    void eat() {
        for (const uint32_t f : {left_, right_})
            if (__atomic_fetch_add(&table->seats[f].in_use, 1, __ATOMIC_SEQ_CST))
                __atomic_fetch_add(&table->broken, 1, __ATOMIC_SEQ_CST);
        pass(options_.times[seat_].eat);
        for (const uint32_t f : {left_, right_})
            __atomic_fetch_sub(&table->seats[f].in_use, 1, __ATOMIC_SEQ_CST);
        me_.used += 2 * options_.times[seat_].eat * kMs;
        ++me_.meals;
    }
    // By the rules of the strategy. 0 or an errno; then it holds nothing.
    int take_and_eat() {
        if (strategy_ == "all-at-once") return both_at_once();
        // With the right fork first there is nothing to serve oneself with before the left one is there.
        const bool swapped = strategy_ == "ordered" && right_ < left_;
        if (const int error = ask({swapped ? right_ : left_})) return error;
        const int64_t first = lab::now();
        wait_for_the_others();
        if (!swapped) serve();
        int64_t given_back = 0;
        if (strategy_ == "release-first") {
            given_back = lab::now() - first;
            party_.release_all();
        }
        const int64_t asked = lab::now();
        const int error =
            strategy_ == "release-first" ? ask({left_, right_}) : ask({swapped ? left_ : right_});
        if (error) return error;
        const int64_t both = lab::now();
        if (swapped) serve();
        eat();
        party_.release_all();
        // Under `preempt` the first one is in other hands while this one waits.
        const bool kept = strategy_ != "release-first" && strategy_ != "preempt";
        me_.held += given_back + 2 * (lab::now() - both);
        if (kept) me_.held += both - first;
        if (strategy_ == "preempt") me_.held += asked - first;
        return 0;
    }
    int both_at_once() {
        if (const int error = ask({left_, right_})) return error;
        const int64_t both = lab::now();
        serve();
        eat();
        party_.release_all();
        me_.held += 2 * (lab::now() - both);
        return 0;
    }

    const Options& options_;
    const std::string& strategy_;
    const uint32_t seat_, left_, right_;
    Seat& me_;
    Party party_;
};

std::string percent(double part) {
    char text[16];
    return snprintf(text, sizeof text, "%.1f %%", 100 * part), text;
}

// Whether it came out as it should.
bool run(const std::string& strategy, const Options& options, lab::Table& rows) {
    const lab::Setting chosen(kDeadlockSettings + "strategy", strategy);
    memset(table, 0, sizeof *table);
    Party parent("table");
    for (uint32_t f = 0; f < options.seats(); f++)
        parent.add_type(f, "fork" + std::to_string(f), 1, options.take_away);
    const State before = read_state();
    const int64_t start = lab::now();
    std::vector<pid_t> children;
    for (uint32_t seat = 0; seat < options.seats(); seat++) {
        const pid_t pid = fork_or_fail();
        if (pid == 0) {
            prctl(PR_SET_NAME, ("philosopher " + std::to_string(seat)).c_str());
            Philosopher(options, seat, strategy).dine();
            _exit(0);
        }
        children.push_back(pid);
    }
    const bool finished = all_end(children, strategy == "detect" ? kPatience : 0);
    const int64_t took = lab::now() - start;
    const State after = read_state();
    const std::string graph = lab::read_file("/proc/deadlock.dot");
    for (const pid_t pid : children)
        if (!finished) kill(pid, SIGKILL);
    while (waitpid(-1, nullptr, 0) > 0) {
    }
    auto grew = [&](const char* name) { return after.counts.at(name) - before.counts.at(name); };
    Seat sum{};
    for (const Seat& seat : table->seats) {
        sum.meals += seat.meals;
        sum.repeated += seat.repeated;
        sum.used += seat.used;
        sum.held += seat.held;
        sum.longest_wait = std::max(sum.longest_wait, seat.longest_wait);
    }
    const double all = static_cast<double>(took) * options.seats();
    const double used = static_cast<double>(sum.used) / all;
    const double wasted = std::max(0.0, static_cast<double>(sum.held - sum.used) / all);
    rows.row({strategy, finished ? "finished" : "DEADLOCK", sum.meals,
              lab::Decimal{static_cast<double>(took) / 1e6, 0}, grew("requests"), grew("waits"),
              grew("victims"), grew("taken"), sum.repeated,
              lab::Cell(percent(used), lab::Decimal{used, 4}),
              lab::Cell(percent(wasted), lab::Decimal{wasted, 4}),
              lab::Decimal{static_cast<double>(sum.longest_wait) / 1e6, 0},
              finished ? lab::Cell("") : lab::Cell(after.deadlocked)});
    if (!finished && options.dot) fputs(graph.c_str(), stdout);
    if (table->broken) lab::fail("%s: a fork was in two hands", strategy.c_str());
    return finished == (strategy != "none") &&
           (!finished || sum.meals == options.meals * options.seats());
}

}  // namespace

int run_philosophers(int argc, char** argv) {
    const std::vector<std::string> known = lab::names_in(kDeadlockSettings + "strategy");
    Options options;
    Times alike{10, 5, 10};
    long random = 0, seed = 1;
    bool json = false;
    std::vector<std::string> strategies = lab::Command(kHelp)
                                              .number("--meals", options.meals, 1, 10'000'000)
                                              .number("--think", alike.think, 0, kMostMs)
                                              .number("--serve", alike.serve, 0, kMostMs)
                                              .number("--eat", alike.eat, 0, kMostMs)
                                              .random(random, kMostSeats, seed)
                                              .flag("--take-away", options.take_away)
                                              .flag("--dot", options.dot)
                                              .flag("--json", json)
                                              .parse(argc, argv);
    for (const std::string& name : strategies) lab::one_of("STRATEGY", name, known);
    if (strategies.empty()) strategies = known;
    options.times.assign(5, alike);
    if (random) {
        lab::Random draw(seed);
        options.times.clear();
        for (long i = 0; i < std::max(random, 2l); ++i)
            options.times.push_back(
                {draw.between(0, 20), draw.between(0, 10), draw.between(1, 15)});
    }
    table = static_cast<Table*>(
        mmap(nullptr, sizeof *table, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    if (table == MAP_FAILED) lab::fail("memory: %s", strerror(errno));
    lab::Table rows({{"strategy", "strategy"},
                     {"end", "end"},
                     {"meals", "meals"},
                     {"ms", "ms"},
                     {"requests", "requests"},
                     {"waits", "waits"},
                     {"victims", "victims"},
                     {"taken", "taken"},
                     {"repeated", "repeated"},
                     {"in_use", "in use"},
                     {"wasted", "wasted"},
                     {"longest_wait_ms", "longest wait"},
                     {"deadlocked", "deadlocked"}});
    bool as_expected = true;
    for (const std::string& strategy : strategies) as_expected &= run(strategy, options, rows);
    if (json) {
        std::vector<lab::Object> times;
        for (const Times& t : options.times)
            times.push_back(lab::Object()
                                .add("think_ms", t.think)
                                .add("serve_ms", t.serve)
                                .add("eat_ms", t.eat));
        lab::Object()
            .add("lab", "lab-deadlock")
            .add("input", lab::Object().add("meals", options.meals).add("philosophers", times))
            .add("rows", rows.rows())
            .print();
    } else {
        rows.print();
    }
    return as_expected ? 0 : 1;
}
