// What a process may use (getrlimit), and what it has used (getrusage).
#pragma once

#include <cstdint>

#include "kernel/sched/io_counts.hpp"
#include "kernel/sync/spin_lock.hpp"

class AddressSpace;
class Thread;
extern IrqSpinLock process_tree;

// Spec: getrlimit(2), Linux i386 numbers.
enum Limit : uint32_t {
    limit_cpu,
    limit_fsize,
    limit_data,
    limit_stack,
    limit_core,
    limit_rss,
    limit_nproc,
    limit_nofile,
    limit_memlock,
    limit_as,
    limit_locks,
    limit_sigpending,
    limit_msgqueue,
    limit_nice,
    limit_rtprio,
    limit_rttime,
    limit_count,
};
constexpr uint32_t kInfinite = UINT32_MAX;
constexpr uint32_t kMostDescriptors = 1u << 20;  // of a process: what limit_nofile may be
struct LimitPair {
    uint32_t soft = kInfinite, hard = kInfinite;
};

struct CpuTimes {  // nanoseconds, counts, and pages
    uint64_t user = 0, kernel = 0;
    uint32_t minor_faults = 0, major_faults = 0, voluntary_switches = 0, involuntary_switches = 0;
    uint32_t peak_resident = 0;  // of a sum: the largest
    IoCounts io;
    void add(const CpuTimes& other);
    void note_peak(const AddressSpace* space);
};

CpuTimes times_of(const Thread& thread) REQUIRES(process_tree);
