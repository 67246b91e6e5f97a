// lab-sched: runs a workload of the course note as real processes under a chosen policy, and tells
// who ran when. workload.cpp reads the arguments, run.cpp makes the processes, trace.cpp reads
// the kernel's trace, report.cpp prints.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

struct Job {
    std::string name;
    long arrival = 0, burst = 0, priority = 0;  // in units; a higher priority goes first
};

struct Options {
    std::string policy;
    std::vector<long> quanta;  // in units
    bool preemptive = false;
    long ageing = 0;  // units of waiting that count as a level of priority
    long boost = 0;   // mlfq: units from one return to the highest level to the next
    long unit_ms = 50;
    bool json = false;
    std::vector<Job> jobs;
};

// In nanoseconds since the workload's time 0. `turn_over`: the quantum ended it.
struct Turn {
    size_t job;
    int64_t start, end;
    bool turn_over;
};

// Of any thread, in nanoseconds of the monotonic clock.
struct CpuTurn {
    int tid;
    int64_t start, end;
    bool turn_over;
};

[[noreturn]] void fail(int status, const char* format, ...) __attribute__((format(printf, 2, 3)));
Options read_arguments(int argc, char* argv[]);
std::vector<CpuTurn> read_turns(
    int64_t since);  // those that began then or later, in order of their ends
std::vector<Turn> run_workload(const Options& options);
void report(const Options& options, const std::vector<Turn>& turns);
