// Compaction of real memory: private pages of programs move to other frames, so that a large run of
// frames becomes free. Pages of files, page tables and the kernel's own memory stay where they are.
// Locks: a Mutex (rank compaction), then one address space's at a time. Nobody who has one of those
// waits for the reclaim thread, which compacts too.
#pragma once

#include <cstdint>

// Empties blocks as long as that makes more large runs: how many pages moved. May sleep.
uint32_t compact_memory();
// Tries to make a run of 2^order frames; true: there may be one now. May sleep.
bool compact_for(uint32_t order);
// What an allocation that could not sleep left word of; for the reclaim thread.
void compact_if_wanted();

struct CompactionCounts {                  // since boot
    uint32_t stalls, successes, failures;  // of compact_for
    uint32_t moved, move_failures;         // pages
};
extern CompactionCounts compaction_counts;
