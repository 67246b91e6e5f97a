// The Gantt chart and the table of measures: times rounded to whole units, as in the course note,
// and beside them what was measured. Fractions are exact.
#include <cstdio>
#include <numeric>

#include "user/lab-sched/lab.hpp"
#include "user/lab/table.hpp"

std::string fraction(long over, long under) {
    const long common = std::gcd(over, under);
    over /= common;
    under /= common;
    return under == 1 ? std::to_string(over) : std::to_string(over) + "/" + std::to_string(under);
}

namespace {

// The sum of fractions a/b as one, then divided by how many there are.
std::string mean_of(const std::vector<std::pair<long, long>>& fractions) {
    long long over = 0, under = 1;
    for (auto [a, b] : fractions) {
        over = over * b + a * under;
        under *= b;
        const long long common = std::gcd(over, under);
        over /= common;
        under /= common;
    }
    return fraction(static_cast<long>(over),
                    static_cast<long>(under * static_cast<long>(fractions.size())));
}

// A turn that something else interrupted for a moment is one turn; a remainder of a moment is none.
std::vector<Turn> join(const std::vector<Turn>& turns, int64_t unit) {
    std::vector<Turn> joined;
    for (const Turn& turn : turns) {
        Turn* last = joined.empty() ? nullptr : &joined.back();
        const bool goes_on = last && last->job == turn.job && turn.start - last->end < unit / 20 &&
                             (!last->turn_over || turn.end - turn.start < unit / 20);
        if (goes_on) {
            last->end = turn.end;
            last->turn_over = turn.turn_over;
        } else {
            joined.push_back(turn);
        }
    }
    return joined;
}

void measure(Run& run) {
    run.measures.resize(run.options.jobs.size());
    std::vector<long> ready;  // since when
    for (const Job& job : run.options.jobs) ready.push_back(job.arrival);
    for (const Turn& turn : run.turns) {
        Measures& m = run.measures[turn.job];
        const long start = run.units(turn.start);
        if (m.start < 0) m.start = start;
        m.longest_wait = std::max(m.longest_wait, start - ready[turn.job]);
        m.end = ready[turn.job] = run.units(turn.end);
    }
    for (size_t i = 0; i < run.measures.size(); ++i) {
        const Job& job = run.options.jobs[i];
        Measures& m = run.measures[i];
        m.turnaround = m.end - job.arrival;
        m.waiting = m.turnaround - job.burst;
        m.response = m.start - job.arrival;
    }
}

}  // namespace

long Run::span() const {
    long first = INT32_MAX, last = 0;
    for (size_t i = 0; i < measures.size(); ++i) {
        first = std::min(first, options.jobs[i].arrival);
        last = std::max(last, measures[i].end);
    }
    return last - first;
}

long Run::busy() const {
    int64_t all = 0;
    for (const Turn& turn : turns) all += turn.end - turn.start;
    return units(all);
}

Run measured(const Options& options, const std::vector<Turn>& turns) {
    Run run{options, options.unit_ms * 1'000'000ll, {}, {}};
    run.turns = join(turns, run.unit);
    measure(run);
    return run;
}

Means means_of(const Run& run) {
    std::vector<std::pair<long, long>> turnaround, weighted, waiting, response;
    for (size_t i = 0; i < run.measures.size(); ++i) {
        const Measures& m = run.measures[i];
        turnaround.push_back({m.turnaround, 1});
        weighted.push_back({m.turnaround, run.options.jobs[i].burst});
        waiting.push_back({m.waiting, 1});
        response.push_back({m.response, 1});
    }
    return {mean_of(turnaround), mean_of(weighted), mean_of(waiting), mean_of(response)};
}

namespace {

lab::Object described(const Options& options) {
    std::vector<lab::Object> jobs;
    for (const Job& job : options.jobs)
        jobs.push_back(lab::Object()
                           .add("name", job.name)
                           .add("arrival", job.arrival)
                           .add("burst", job.burst)
                           .add("priority", job.priority));
    return lab::Object()
        .add("policy", options.policy)
        .add("quanta", options.quanta)
        .add("preemptive", options.preemptive)
        .add("ageing", options.ageing)
        .add("boost", options.boost)
        .add("unit_ms", options.unit_ms)
        .add("jobs", jobs);
}

template <typename Value>
lab::Object by_job(const Run& run, Value&& value) {
    lab::Object object;
    for (size_t i = 0; i < run.measures.size(); ++i)
        object.add(run.options.jobs[i].name, value(run.measures[i], run.options.jobs[i]));
    return object;
}

// A turn as [name, start, end].
template <typename Time>
std::string turns_of(const Run& run, Time&& time) {
    std::string all;
    for (const Turn& turn : run.turns)
        all += (all.empty() ? "[" : ", [") + lab::json(run.name(turn)) + ", " +
               lab::json(time(turn.start)) + ", " + lab::json(time(turn.end)) + "]";
    return "[" + all + "]";
}

lab::Table table_of(const Run& run) {
    lab::Table table({{"job", "job"},
                      {"arrival", "arrival"},
                      {"burst", "burst"},
                      {"start", "start"},
                      {"end", "end"},
                      {"turnaround", "turnaround"},
                      {"weighted_turnaround", "weighted"},
                      {"waiting", "waiting"},
                      {"response", "response"},
                      {"longest_wait", "longest wait"}});
    for (size_t i = 0; i < run.measures.size(); ++i) {
        const Job& job = run.options.jobs[i];
        const Measures& m = run.measures[i];
        table.row({job.name, job.arrival, job.burst, m.start, m.end, m.turnaround,
                   fraction(m.turnaround, job.burst), m.waiting, m.response, m.longest_wait});
    }
    return table;
}

void print_json(const Run& run) {
    const Means means = means_of(run);
    lab::Object()
        .add("lab", "lab-sched")
        .add("input", described(run.options))
        .add("rows", table_of(run).rows())
        .add("gantt", lab::Raw{turns_of(run, [&](int64_t t) { return run.units(t); })})
        .add("turnaround", by_job(run, [](const Measures& m, const Job&) { return m.turnaround; }))
        .add("weighted_turnaround",
             by_job(run, [](const Measures& m,
                            const Job& job) { return fraction(m.turnaround, job.burst); }))
        .add("waiting", by_job(run, [](const Measures& m, const Job&) { return m.waiting; }))
        .add("response", by_job(run, [](const Measures& m, const Job&) { return m.response; }))
        .add("mean", lab::Object()
                         .add("turnaround", means.turnaround)
                         .add("weighted_turnaround", means.weighted)
                         .add("waiting", means.waiting)
                         .add("response", means.response))
        .add("cpu_utilisation", fraction(run.busy(), run.span()))
        .add("throughput", fraction(static_cast<long>(run.measures.size()), run.span()))
        .add("measured", lab::Raw{turns_of(run,
                                           [&](int64_t t) {
                                               return lab::Decimal{run.exact(t), 5};
                                           })})
        .print();
}

// A row a job, a column a unit: # runs, . waits.
void print_chart(const Run& run) {
    constexpr long kMostColumns = 100;
    long finish = 0;
    for (const Measures& m : run.measures) finish = std::max(finish, m.end);
    const long scale = (finish + kMostColumns - 1) / kMostColumns;
    for (size_t i = 0; i < run.measures.size(); ++i) {
        std::string row(static_cast<size_t>((finish + scale - 1) / scale), ' ');
        for (long t = run.options.jobs[i].arrival; t < run.measures[i].end; ++t)
            row[t / scale] = '.';
        for (const Turn& turn : run.turns)
            if (turn.job == i)
                for (long t = run.units(turn.start); t < run.units(turn.end); ++t)
                    row[t / scale] = '#';
        printf("%-8s |%s|\n", run.options.jobs[i].name.c_str(), row.c_str());
    }
    printf("%-8s  0%*ld\n\n", "", static_cast<int>((finish + scale - 1) / scale), finish);
    for (const Turn& turn : run.turns)
        printf("%s %ld-%ld  ", run.name(turn).c_str(), run.units(turn.start), run.units(turn.end));
    printf("\n\n");
}

void print_table(const Run& run) {
    printf("%-8s %8s %8s %8s %8s %10s %10s %8s %9s\n", "job", "arrival", "burst", "start", "end",
           "turnaround", "weighted", "waiting", "response");
    for (size_t i = 0; i < run.measures.size(); ++i) {
        const Job& job = run.options.jobs[i];
        const Measures& m = run.measures[i];
        printf("%-8s %8ld %8ld %8ld %8ld %10ld %10s %8ld %9ld\n", job.name.c_str(), job.arrival,
               job.burst, m.start, m.end, m.turnaround, fraction(m.turnaround, job.burst).c_str(),
               m.waiting, m.response);
    }
    const Means means = means_of(run);
    printf("%-8s %8s %8s %8s %8s %10s %10s %8s %9s\n", "mean", "", "", "", "",
           means.turnaround.c_str(), means.weighted.c_str(), means.waiting.c_str(),
           means.response.c_str());
}

void print_use(const Run& run) {
    const long count = static_cast<long>(run.measures.size());
    printf(
        "\nCPU utilisation: %ld of %ld units, %.1f %%\nthroughput: %ld jobs in %ld units, %s a "
        "unit\n",
        run.busy(), run.span(),
        100.0 * static_cast<double>(run.busy()) / static_cast<double>(run.span()), count,
        run.span(), fraction(count, run.span()).c_str());
}

}  // namespace

void report(const Options& options, const std::vector<Turn>& turns) {
    const Run run = measured(options, turns);
    if (options.json) return print_json(run);
    printf("%s, unit %ld ms\n\n", options.policy.c_str(), options.unit_ms);
    print_chart(run);
    print_table(run);
    print_use(run);
}
