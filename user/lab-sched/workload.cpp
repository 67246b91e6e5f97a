// The arguments: NAME:ARRIVAL:BURST[:PRIORITY]..., or --file with the same, one a line, blanks for
// colons, or --random. All numbers are whole units.
#include <cstdio>

#include "user/lab-sched/lab.hpp"
#include "user/lab/command.hpp"
#include "user/lab/random.hpp"
#include "user/lab/setting.hpp"

namespace {

constexpr char kHelp[] =
    "usage: lab-sched --policy NAME[,NAME...]|all [--quantum N | --quanta A,B,C] [--preemptive]\n"
    "                 [--ageing N] [--boost N] [--unit MS] [--json]\n"
    "                 [--file FILE] [--random N [--seed S]] NAME:ARRIVAL:BURST[:PRIORITY]...\n"
    "       lab-sched --starvation N [--unit MS] [--json]\n"
    "Runs jobs as processes under a policy (fcfs sjf srtn hrrn rr priority mlfq stride); times "
    "are\n"
    "units of --unit (50) milliseconds, a higher priority goes first. Several policies: their "
    "means.\n"
    "--starvation: a long job beside N and 2N short ones that come as fast as they are served; "
    "the\n"
    "longest wait under each policy, and whether it grows with N.\n"
    "    # lab-sched --policy sjf P1:0:7 P2:2:4 P3:4:1 P4:5:4\n"
    "    sjf, unit 50 ms\n"
    "    P1       |#######         |\n"
    "    P2       |  ......####    |\n"
    "    P3       |    ...#        |\n"
    "    P4       |     .......####|\n"
    "    ...\n"
    "    job       arrival    burst    start      end turnaround   weighted  waiting  response\n"
    "    P1              0        7        0        7          7          1        0         0\n"
    "    P2              2        4        8       12         10        5/2        6         6\n"
    "    ...\n";
constexpr long kLongest = 100'000;

Job read_job(const std::vector<std::string>& fields) {
    if (fields.size() < 3 || fields.size() > 4 || fields[0].empty())
        lab::refuse("a job is NAME:ARRIVAL:BURST[:PRIORITY], like P1:0:7; not '%s'",
                    lab::join(fields).c_str());
    Job job{fields[0], lab::number("ARRIVAL", fields[1], 0, kLongest),
            lab::number("BURST", fields[2], 1, kLongest), 0};
    if (fields.size() == 4) job.priority = lab::number("PRIORITY", fields[3], -19, 20);
    return job;
}

void read_file(Options& options, const std::string& name) {
    for (const std::string& line : lab::lines_of(name)) {
        std::vector<std::string> fields;
        for (const std::string& field : lab::split(line, " \t:"))
            if (!field.empty()) fields.push_back(field);
        options.jobs.push_back(read_job(fields));
    }
}

std::vector<Job> random_jobs(long count, long seed) {
    lab::Random random(seed);
    std::vector<Job> jobs;
    for (long i = 1; i <= count; ++i) {
        const long arrival = random.between(0, 2 * count);
        jobs.push_back(
            {"P" + std::to_string(i), arrival, random.between(1, 7), random.between(0, 4)});
    }
    return jobs;
}

}  // namespace

Options read_arguments(int argc, char* argv[]) {
    const std::vector<std::string> known = lab::names_in("/proc/sys/kernel/sched/policy");
    Options options;
    long random = 0, seed = 1;
    auto choose = [&](const std::string& list) {
        for (const std::string& name : lab::split(list, ","))
            options.policies.push_back(name == "all" ? name : lab::one_of("--policy", name, known));
        if (options.policies == std::vector<std::string>{"all"}) options.policies = known;
    };
    const auto words =
        lab::Command(kHelp)
            .act("--policy", choose)
            .numbers("--quantum", options.quanta, 1, kLongest)
            .numbers("--quanta", options.quanta, 1, kLongest)
            .flag("--preemptive", options.preemptive)
            .number("--ageing", options.ageing, 1, kLongest)
            .number("--boost", options.boost, 1, kLongest)
            .number("--unit", options.unit_ms, 1, 10'000)
            .number("--starvation", options.starvation, 2, 1000)
            .act("--file", [&](const std::string& name) { read_file(options, name); })
            .random(random, 500, seed)
            .flag("--json", options.json)
            .parse(argc, argv);
    for (const std::string& word : words) options.jobs.push_back(read_job(lab::split(word, ":")));
    for (Job& job : random_jobs(random, seed)) options.jobs.push_back(std::move(job));
    if (options.starvation) return options;
    if (options.policies.empty())
        lab::refuse("--policy is wanted, one of: %s", lab::join(known).c_str());
    if (options.jobs.empty()) lab::refuse("jobs are wanted: NAME:ARRIVAL:BURST..., or --random N");
    for (size_t i = 0; i < options.jobs.size(); ++i)
        for (size_t k = 0; k < i; ++k)
            if (options.jobs[i].name == options.jobs[k].name)
                lab::refuse("two jobs are called %s", options.jobs[i].name.c_str());
    return options;
}

int main(int argc, char* argv[]) {
    Options options = read_arguments(argc, argv);
    if (options.starvation) {
        starvation(options);
    } else if (options.policies.size() > 1) {
        compare(options);
    } else {
        options.policy = options.policies[0];
        report(options, run_workload(options));
    }
}
