// DiskCounts: the figures of /proc/diskstats and /sys/block/NAME/stat, of one disk or partition.
// Locks: its queue's (disk_queue.hpp).
#pragma once

#include <cstdint>

// What a disk or partition did since the machine was switched on.
struct DiskCounts {
    struct Direction {
        uint64_t requests = 0, merges = 0, sectors = 0;  // merged ones are no requests of their own
        uint64_t nanoseconds = 0;  // from arrival to completion, summed over all, merged or not
    };
    Direction reads, writes;
    uint64_t flushes = 0, flush_nanoseconds = 0;
    uint64_t failed = 0;
    uint64_t travel = 0;  // of the elevator's head, in sectors; a partition has none
    uint64_t busy_nanoseconds = 0;
    uint32_t in_flight = 0;
};

// The counts with what it takes to keep them. Locks: the disk's queue's.
struct DiskUse {
    DiskCounts counts;
    uint64_t busy_since = 0;  // nanoseconds; while in_flight is not 0
};
