// lab-sched: runs a workload of the course note as real processes under a chosen policy, and tells
// who ran when. workload.cpp reads the arguments, run.cpp makes the processes, turns.cpp finds their
// turns in the trace, report.cpp prints; compare.cpp puts several policies side by side.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

struct Job {
    std::string name;
    long arrival = 0, burst = 0, priority = 0;  // in units; a higher priority goes first
};

struct Options {
    std::vector<std::string> policies;
    std::string policy;        // the one that runs
    std::vector<long> quanta;  // in units
    bool preemptive = false;
    long ageing = 0;  // units of waiting that count as a level of priority
    long boost = 0;   // mlfq: units from one return to the highest level to the next
    long unit_ms = 50;
    long starvation = 0;  // short jobs that come one after the other beside a long one
    bool json = false;
    std::vector<Job> jobs;
};

// In nanoseconds since the workload's time 0. `turn_over`: the quantum ended it.
struct Turn {
    size_t job;
    int64_t start, end;
    bool turn_over;
};

Options read_arguments(int argc, char* argv[]);
std::vector<Turn> run_workload(const Options& options);
// The turns since `zero` of the threads that are jobs, from /proc/trace, until each has had its burst.
std::vector<Turn> turns_in_trace(const std::map<int, size_t>& jobs, const Options& options,
                                 int64_t zero);
void report(const Options& options, const std::vector<Turn>& turns);
void compare(Options options);     // its policies, one after the other
void starvation(Options options);  // the longest wait, and whether it grows with the load

// What is told of a run, in whole units; fractions as numerator and denominator.
struct Measures {
    long start = -1, end = 0, turnaround = 0, waiting = 0, response = 0, longest_wait = 0;
};
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
    // From the first arrival to the last end, and how much of it the CPU worked for the jobs.
    long span() const;
    long busy() const;
};
Run measured(const Options& options, const std::vector<Turn>& turns);
struct Means {
    std::string turnaround, weighted, waiting, response;
};
Means means_of(const Run& run);
std::string fraction(long over, long under);
