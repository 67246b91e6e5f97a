// The Gantt chart and the table of measures: times rounded to whole units, as in the course note,
// and beside them what was measured. Fractions are exact.
#include <cinttypes>
#include <cstdio>
#include <numeric>

#include "user/lab-sched/lab.hpp"

namespace {

struct Measures {
    long start = -1, end = 0, turnaround = 0, waiting = 0, response = 0;
};

std::string fraction(long over, long under) {
    const long common = std::gcd(over, under);
    over /= common;
    under /= common;
    return under == 1 ? std::to_string(over) : std::to_string(over) + "/" + std::to_string(under);
}

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

// A turn that something else interrupted for a moment is one turn.
std::vector<Turn> join(const std::vector<Turn>& turns, int64_t unit) {
    std::vector<Turn> joined;
    for (const Turn& turn : turns) {
        Turn* last = joined.empty() ? nullptr : &joined.back();
        const bool goes_on =
            last && last->job == turn.job && !last->turn_over && turn.start - last->end < unit / 20;
        if (goes_on) {
            last->end = turn.end;
            last->turn_over = turn.turn_over;
        } else {
            joined.push_back(turn);
        }
    }
    return joined;
}

struct Run {
    const Options& options;
    int64_t unit;
    std::vector<Turn> turns;
    std::vector<Measures> measures;

    long units(int64_t time) const { return static_cast<long>((time + unit / 2) / unit); }
    double exact(int64_t time) const {
        return static_cast<double>(time) / static_cast<double>(unit);
    }
    const std::string& name(const Turn& turn) const { return options.jobs[turn.job].name; }
};

void measure(Run& run) {
    run.measures.resize(run.options.jobs.size());
    for (const Turn& turn : run.turns) {
        Measures& m = run.measures[turn.job];
        if (m.start < 0) m.start = run.units(turn.start);
        m.end = run.units(turn.end);
    }
    for (size_t i = 0; i < run.measures.size(); ++i) {
        const Job& job = run.options.jobs[i];
        Measures& m = run.measures[i];
        m.turnaround = m.end - job.arrival;
        m.waiting = m.turnaround - job.burst;
        m.response = m.start - job.arrival;
    }
}

struct Means {
    std::string turnaround, weighted, waiting, response;
};
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

template <typename Print>
void object(const Run& run, const char* key, const char* after, Print&& print) {
    printf(" \"%s\": {", key);
    for (size_t i = 0; i < run.measures.size(); ++i) {
        printf("%s\"%s\": ", i ? ", " : "", run.options.jobs[i].name.c_str());
        print(run.measures[i], run.options.jobs[i]);
    }
    printf("}%s\n", after);
}

void print_json(const Run& run) {
    printf("{\"gantt\": [");
    for (size_t i = 0; i < run.turns.size(); ++i)
        printf("%s[\"%s\", %ld, %ld]", i ? ", " : "", run.name(run.turns[i]).c_str(),
               run.units(run.turns[i].start), run.units(run.turns[i].end));
    printf("],\n");
    object(run, "turnaround", ",",
           [](const Measures& m, const Job&) { printf("%ld", m.turnaround); });
    object(run, "weighted_turnaround", ",", [](const Measures& m, const Job& job) {
        printf("\"%s\"", fraction(m.turnaround, job.burst).c_str());
    });
    object(run, "waiting", ",", [](const Measures& m, const Job&) { printf("%ld", m.waiting); });
    object(run, "response", ",", [](const Measures& m, const Job&) { printf("%ld", m.response); });
    const Means means = means_of(run);
    printf(
        " \"mean\": {\"turnaround\": \"%s\", \"weighted_turnaround\": \"%s\", \"waiting\": \"%s\", "
        "\"response\": \"%s\"},\n \"measured\": [",
        means.turnaround.c_str(), means.weighted.c_str(), means.waiting.c_str(),
        means.response.c_str());
    for (size_t i = 0; i < run.turns.size(); ++i)
        printf("%s[\"%s\", %.5f, %.5f]", i ? ", " : "", run.name(run.turns[i]).c_str(),
               run.exact(run.turns[i].start), run.exact(run.turns[i].end));
    printf("]}\n");
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

}  // namespace

void report(const Options& options, const std::vector<Turn>& turns) {
    Run run{options, options.unit_ms * 1'000'000ll, {}, {}};
    run.turns = join(turns, run.unit);
    measure(run);
    if (options.json) return print_json(run);
    printf("%s, unit %ld ms\n\n", options.policy.c_str(), options.unit_ms);
    print_chart(run);
    print_table(run);
}
