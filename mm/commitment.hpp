// Commitment: how many pages programs were promised a frame or a slot for: those of private
// writable mappings (less MAP_NORESERVE), and of memory that is shared without a file. What may be
// promised is /proc/sys/vm/overcommit_memory:
//   0  all but a single request that is larger than all memory and swap
//   1  everything
//   2  no more than swap and overcommit_ratio percent of memory: a promise is then kept
// Locks: none; atomic.
// Spec: proc(5), overcommit_memory.
#pragma once

#include <cstdint>

#include "kernel/lib/atomic.hpp"
#include "kernel/lib/result.hpp"

struct CommitmentRule {
    Atomic<uint32_t> overcommit = 0, ratio = 50;
    Atomic<uint32_t> kilobytes = 0;  // instead of the ratio, unless 0
};
extern CommitmentRule commitment_rule;

Result<void> check_commitment(uint32_t pages);  // ENOMEM: so many more can't be promised
void change_commitment(int32_t pages);
struct Commitment {  // pages
    uint32_t promised, limit;
};
Commitment commitment();
