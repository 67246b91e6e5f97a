// See lab.hpp: the command line, threads, and the lines of the report.
#include "user/lab-sync/lab.hpp"
#include "user/lab/command.hpp"
#include "user/lab/random.hpp"
#include "user/lab/setting.hpp"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

std::atomic<long> broken_invariants, steps_made, longest_waits[kMostRoles];
bool as_json;

namespace {

struct Problem {
    const char* name;
    bool (*run)(long steps);
};
constexpr Problem kProblems[] = {
    {"buffer", run_buffer},   {"plate", run_plate},
    {"readers", run_readers}, {"philosophers", run_philosophers},
    {"barber", run_barber},   {"smokers", run_smokers},
    {"hasty", run_hasty},     {"kernel", run_kernel},
    {"trace", run_trace},     {"naive", run_naive},
};

struct Start {
    const std::function<void(int)>* body;
    int number;
};
void* start(void* argument) {
    const Start& s = *static_cast<Start*>(argument);
    (*s.body)(s.number);
    return nullptr;
}

constexpr char kHelp[] =
    "usage: lab-sync PROBLEM [STEPS] [--only SOLUTION] [--directed] [--seed S] [--json]\n"
    "       lab-sync PROBLEM --script 'NAME -NAME ...' --only SOLUTION [--seed S]\n"
    "STEPS (10000): items, fruits, visits, meals, haircuts, cigarettes. --seed draws where threads "
    "give\n"
    "way inside. A wait is measured in the steps that others made meanwhile. --directed: one "
    "thread "
    "runs\n"
    "at a time, the seed draws which, and a deadlock is told. --script: plate (A, P: put; a, p: "
    "take),\n"
    "readers (R, W; -R, -W: leaves), philosophers (3: hungry; -3: has eaten), act by act. "
    "Problems:\n"
    "  buffer        three producers, three consumers, four places\n"
    "  plate         apples and pears on one plate, who eats what\n"
    "  readers       readers and writers: readers first, writers first, fair\n"
    "  philosophers  at most four, odd and even, AND, both or none\n"
    "  barber        the sleeping barber with four chairs\n"
    "  smokers       three smokers, an agent, three ingredients\n"
    "  hasty         a monitor's buffer with `if` for `while`: right only under Hoare\n"
    "  kernel        the buffer among kernel threads, with the kernel's semaphores and monitors\n"
    "  trace         each P and V of these semaphores: value and queue (STEPS: 12 unless given)\n"
    "  naive         philosophers who take the left fork first: found, and cured\n"
    "  all           all of them\n"
    "Status 1: an invariant was broken.\n"
    "    # lab-sync plate 1000\n"
    "    plate        semaphores             1000 steps, 0 broken invariants; longest wait: apple "
    "put 9, "
    "apple taken 8, pear put 11, pear taken 9\n"
    "    ...\n";

std::vector<lab::Object> rows;
long seed = 1;
std::atomic<long> threads_with_dice;
std::string only, script;
bool directed;

// Of those who wait: their names and where.
std::string waiting_at(const Director& director, const std::vector<std::string>& names) {
    std::string text;
    for (int i = 0; i < director.actors(); ++i)
        if (!director.idle(i))
            text += " " + names[static_cast<size_t>(i)] + " (" + director.place(i) + ")";
    return text.empty() ? " -" : text;
}

void in_directed_threads(int count, const std::function<void(int)>& body) {
    static std::vector<std::unique_ptr<Director>> all;  // threads of earlier ones still sleep
    Director& director = *all.emplace_back(std::make_unique<Director>(seed));
    std::vector<std::string> names;
    for (int i = 0; i < count; ++i) {
        names.push_back(std::to_string(director.add()));
        director.give(i, [&body, i] { body(i); });
    }
    Director::on = &director;
    director.settle();
    Director::on = nullptr;
    const std::string stuck = waiting_at(director, names);
    if (stuck == " -") return;
    printf("deadlock after %ld steps, waiting:%s\n", steps_made.load(), stuck.c_str());
    fflush(stdout);
    _exit(1);  // not to be joined
}

}  // namespace

bool is_chosen(const std::string& solution) { return only.empty() || only == solution; }
bool has_script() { return !script.empty(); }

bool play_script(const char* kinds, bool has_ends,
                 const std::function<void(char, bool, const std::string&)>& act,
                 const std::function<std::string()>& state) {
    Director director(seed);
    Director::on = &director;
    std::vector<std::string> names;
    int step = 0;
    for (const std::string& word : lab::split(script, " ")) {
        const bool ends = has_ends && word[0] == '-';
        const std::string name = word.substr(ends);
        if (name.empty() || !strchr(kinds, name[0]))
            lab::refuse("--script: '%s' is no act; first letters: %s", word.c_str(), kinds);
        const auto known = std::find(names.begin(), names.end(), name);
        const int actor = static_cast<int>(known - names.begin());
        if (ends != (known != names.end()))
            lab::refuse("--script: '%s' %s", word.c_str(),
                        ends ? "did not begin" : "is there already");
        // An event of the trace, at which a debugger can stop (scripts/debug --at).
        lab::write_file("/proc/trace_marker", "step " + std::to_string(++step));
        if (!ends) names.push_back(name), director.add();
        if (director.idle(actor)) {
            director.give(actor, [&act, ends, name] { act(name[0], ends, name); });
            director.settle();
            if (ends && director.idle(actor)) names[static_cast<size_t>(actor)].clear();
        }
        printf("%-4s %s; waiting:%s\n", word.c_str(), state().c_str(),
               waiting_at(director, names).c_str());
    }
    fflush(stdout);
    _exit(broken_invariants != 0);  // those who wait are not to be joined
}

void in_threads(int count, const std::function<void(int)>& body) {
    if (directed) return in_directed_threads(count, body);
    std::vector<pthread_t> threads(count);
    std::vector<Start> starts(count);
    for (int i = 0; i < count; ++i) {
        starts[i] = {&body, i};
        if (pthread_create(&threads[i], nullptr, start, &starts[i])) {
            perror("lab-sync: a thread");
            exit(1);
        }
    }
    for (pthread_t thread : threads) pthread_join(thread, nullptr);
}

void perhaps_yield() {
    if (Director::on) return Director::on->look();
    thread_local lab::Random random(seed * 1000 + ++threads_with_dice);
    if (random.chance(10)) sched_yield();
}

void note_row(lab::Object row) { rows.push_back(std::move(row)); }

void give_way() {
    if (Director::on)
        Director::on->look();
    else
        sched_yield();
}

bool report(const char* problem, const char* solution, long steps, const Roles& roles,
            const char* more) {
    const long broken = broken_invariants.exchange(0);
    lab::Object waits;
    std::string text;
    for (size_t role = 0; role < roles.size(); ++role) {
        const long longest = longest_waits[role].exchange(0);
        waits.add(roles[role], longest);
        text += std::string(role ? ", " : "; longest wait: ") + roles[role] + " " +
                std::to_string(longest);
    }
    steps_made = 0;
    rows.push_back(lab::Object()
                       .add("problem", problem)
                       .add("solution", solution)
                       .add("steps", steps)
                       .add("broken", broken)
                       .add("longest_wait", waits));
    if (as_json) return broken == 0;
    printf("%-12s %-22s %ld steps, %ld broken invariants%s%s%s\n", problem, solution, steps, broken,
           text.c_str(), more, broken ? ": WRONG" : "");
    fflush(stdout);
    return broken == 0;
}

bool run_kernel(long steps) {
    const char* file = "/proc/sync_lab";
    std::ofstream(file) << (steps < 100'000 ? steps : 100'000);
    std::ifstream results(file);
    bool good = false;
    for (std::string line; std::getline(results, line); good = true) {
        must(line.find("WRONG") == line.npos);
        note_row(lab::Object().add("problem", "kernel").add("result", line));
        if (!as_json) printf("%-12s %s\n", "kernel", line.c_str());
    }
    return good && broken_invariants.exchange(0) == 0;
}

int main(int argc, char* argv[]) {
    const auto words = lab::Command(kHelp)
                           .number("--seed", seed, 0, 1'000'000)
                           .text("--only", only)
                           .text("--script", script)
                           .flag("--directed", directed)
                           .flag("--json", as_json)
                           .parse(argc, argv);
    std::vector<std::string> names = {"all"};
    for (const Problem& problem : kProblems) names.push_back(problem.name);
    if (words.empty() || words.size() > 2)
        lab::refuse("PROBLEM [STEPS] is wanted; problems: %s", lab::join(names).c_str());
    lab::one_of("PROBLEM", words[0], names);
    const long steps = words.size() > 1      ? lab::number("STEPS", words[1], 1, 100'000'000)
                       : words[0] == "trace" ? 12
                                             : 10'000;
    bool good = true;
    for (const Problem& problem : kProblems)
        if (words[0] == "all" || words[0] == problem.name) good &= problem.run(steps);
    if (as_json)
        lab::Object()
            .add("lab", "lab-sync")
            .add("input",
                 lab::Object().add("problem", words[0]).add("steps", steps).add("seed", seed))
            .add("rows", rows)
            .print();
    return !good;
}
