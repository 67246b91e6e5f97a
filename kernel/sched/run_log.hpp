// The run log: who had the CPU from when to when, one entry a turn, in a ring that keeps the latest.
// Off until somebody asks for it (/proc/sys/kernel/sched/log); read as /proc/sched_log.
// Locks: run_queue for log_run(); reading copies under it.
#pragma once

#include <cstdint>

#include "kernel/lib/result.hpp"
#include "kernel/lib/types.hpp"

struct RunEntry {
    int tid = 0;
    Nanoseconds start{0}, end{0};
    const char* why = "";  // it left the CPU: quantum, preempted, yield, blocked, ended
};
constexpr uint32_t kMaxRunLog = 65536;

Result<void> run_log_resize(uint32_t entries);  // empties it; 0: off
uint32_t run_log_capacity();
uint64_t run_log_count();                          // ever written since it was emptied
bool run_log_entry(uint64_t which, RunEntry& to);  // false: overwritten, or not there yet

// --- for the dispatcher
extern RunEntry* run_log_ring;
inline bool run_log_enabled() { return run_log_ring; }
void log_run(const RunEntry& entry);
