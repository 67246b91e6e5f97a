// Several policies with one workload: their means side by side; and starvation as the longest wait.
#include <cstdio>

#include "user/lab-sched/lab.hpp"
#include "user/lab/table.hpp"

namespace {

long longest_wait(const Run& run) {
    long longest = 0;
    for (const Measures& m : run.measures) longest = std::max(longest, m.longest_wait);
    return longest;
}

// A long job of low priority, and short ones of high priority, of which one comes whenever the one
// before may be done: the CPU is never idle, and with a policy that prefers them never free.
std::vector<Job> load(long shorts) {
    std::vector<Job> jobs;
    for (long i = 0; i < shorts; ++i) jobs.push_back({"S" + std::to_string(i), 2 * i, 2, 5});
    jobs.insert(jobs.begin() + 1, {"long", 0, 4, 0});
    return jobs;
}

}  // namespace

void compare(Options options) {
    lab::Table table({{"policy", "policy"},
                      {"turnaround", "turnaround"},
                      {"weighted_turnaround", "weighted"},
                      {"waiting", "waiting"},
                      {"response", "response"},
                      {"longest_wait", "longest wait"},
                      {"turns", "turns"}});
    for (const std::string& policy : options.policies) {
        options.policy = policy;
        const std::vector<Turn> turns = run_workload(options);
        if (options.json) {
            report(options, turns);
            continue;
        }
        const Run run = measured(options, turns);
        const Means means = means_of(run);
        table.row({policy, means.turnaround, means.weighted, means.waiting, means.response,
                   longest_wait(run), run.turns.size()});
    }
    if (options.json) return;
    printf("means of %zu jobs, unit %ld ms\n\n", options.jobs.size(), options.unit_ms);
    table.print();
}

void starvation(Options options) {
    struct {
        const char *policy, *cure;
        bool preemptive;
        long ageing, boost;
    } const kPolicies[] = {{"sjf", "", false, 0, 0},
                           {"priority", "", false, 0, 0},
                           {"priority", "preemptive", true, 0, 0},
                           {"hrrn", "response ratio", false, 0, 0},
                           {"priority", "ageing", false, 2, 0},
                           {"mlfq", "boost", false, 0, 8},
                           {"rr", "turns", false, 0, 0}};
    lab::Table table({{"policy", "policy"},
                      {"variant", "variant"},
                      {"longest_wait", "longest wait"},
                      {"longest_wait_twice", "with twice as many"},
                      {"starves", "starves"}});
    for (const auto& kind : kPolicies) {
        long longest[2];
        for (const long times : {1, 2}) {
            options.policy = kind.policy;
            options.preemptive = kind.preemptive;
            options.ageing = kind.ageing;
            options.boost = kind.boost;
            options.jobs = load(options.starvation * times);
            longest[times - 1] = longest_wait(measured(options, run_workload(options)));
        }
        // A job that starves waits as long as others keep coming.
        const bool starves = 2 * longest[1] > 3 * longest[0] && longest[1] > options.starvation;
        table.row({kind.policy, kind.cure, longest[0], longest[1],
                   lab::Cell(starves ? "yes" : "no", starves)});
    }
    if (options.json) {
        lab::Object()
            .add("lab", "lab-sched")
            .add("input", lab::Object().add("starvation", options.starvation))
            .add("rows", table.rows())
            .print();
        return;
    }
    printf("a job of 4 units beside %ld, then %ld short ones; waits in units\n\n",
           options.starvation, 2 * options.starvation);
    table.print();
}
