// See lab.hpp: the command line, threads, and the lines of the report.
#include "user/lab-sync/lab.hpp"

#include <pthread.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

std::atomic<long> broken_invariants;

namespace {

struct Problem {
    const char* name;
    bool (*run)(long steps);
    const char* what;
};
constexpr Problem kProblems[] = {
    {"buffer", run_buffer, "three producers, three consumers, four places"},
    {"plate", run_plate, "apples and pears on one plate, who eats what"},
    {"readers", run_readers, "readers and writers: readers first, writers first, fair"},
    {"philosophers", run_philosophers, "at most four, odd and even, AND, both or none"},
    {"barber", run_barber, "the sleeping barber with four chairs"},
    {"smokers", run_smokers, "three smokers, an agent, three ingredients"},
    {"hasty", run_hasty, "a monitor's buffer with `if` for `while`: right only under Hoare"},
    {"kernel", run_kernel, "the buffer among kernel threads (/proc/sync_lab)"},
    {"naive", run_naive, "philosophers who take the left fork first: found, and cured"},
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

int usage() {
    fputs(
        "usage: lab-sync PROBLEM [STEPS]\n"
        "STEPS (10000): items, fruits, visits, meals, haircuts, cigarettes. Problems:\n",
        stderr);
    for (const Problem& p : kProblems) fprintf(stderr, "  %-13s %s\n", p.name, p.what);
    fputs("  all           all of them\nStatus 1: an invariant was broken.\n", stderr);
    return 2;
}

}  // namespace

void in_threads(int count, const std::function<void(int)>& body) {
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

bool report(const char* problem, const char* solution, long steps, const char* more) {
    const long broken = broken_invariants.exchange(0);
    printf("%-12s %-22s %ld steps, %ld broken invariants%s%s\n", problem, solution, steps, broken,
           more, broken ? ": WRONG" : "");
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
        printf("%-12s %s\n", "kernel", line.c_str());
    }
    return good && broken_invariants.exchange(0) == 0;
}

int main(int argc, char* argv[]) {
    const long steps = argc > 2 ? atol(argv[2]) : 10'000;
    if (argc < 2 || argc > 3 || steps < 1) return usage();
    bool known = false, good = true;
    for (const Problem& problem : kProblems) {
        if (strcmp(argv[1], "all") != 0 && strcmp(argv[1], problem.name) != 0) continue;
        known = true;
        good &= problem.run(steps);
    }
    return known ? !good : usage();
}
