// What processes used, and what they may use, as programs see it.
// Spec: getrusage(2), getrlimit(2), times(2), Linux i386.
#pragma once

#include "kernel/syscall/time_types.hpp"

struct Rusage {
    TimeVal32 user, kernel;
    int32_t max_resident_kib, shared, data, stack;
    int32_t minor_faults, major_faults, swaps, blocks_in, blocks_out, messages_sent,
        messages_received, signals, voluntary_switches, involuntary_switches;
};
static_assert(sizeof(Rusage) == 72);

struct Rlimit {
    uint32_t soft, hard;
};
struct Rlimit64 {
    uint64_t soft, hard;
};

struct Tms {
    int32_t user, kernel, child_user, child_kernel;  // in 1/100 s
};
