// What load control and frame allocation know of one address space (load_control.hpp,
// frame_allocation.hpp).
// Locks: none. Atomic fields are written by faults; the rest belongs to the reclaim thread,
// and other threads may read it.
#pragma once

#include <cstdint>

#include "kernel/lib/atomic.hpp"
#include "kernel/lib/policy_slot.hpp"

struct PagingState {
    Atomic<uint32_t> faults = 0, service = 0;   // since the last look; microseconds of waiting
    Atomic<uint32_t> by_source[8] = {};         // faults that were served, by FaultSource
    Atomic<uint32_t> frames_most = UINT32_MAX;  // pages of its own that it may have in memory
    uint32_t rate = 0;                          // faults in the last window
    uint32_t working_set = 0;  // pages used within the last kWorkingSetWindow of its own time
    uint32_t brought_in = 0, brought_in_before = 0;  // from swap, in two halves of that window
    uint32_t half_since = 0;                         // own time
    uint32_t own_time = 0;  // milliseconds that its programs computed: describe_spaces_hook
    uint64_t ran_at = 0;    // nanoseconds: when that was last found to have grown
    int process = 0, nice = 0;
    uint32_t suspensions = 0;
    PolicySlot<4> allocation;          // the chosen frame allocation's
    uint64_t active_since = 0;         // nanoseconds
    uint64_t suspended_since = 0;      // 0: it is not
    Atomic<bool> ordered_out = false;  // suspended by order, and gives up its frames
    uint32_t set_when_suspended = 0;
};
constexpr uint32_t kWorkingSetWindow = 200;  // milliseconds of own time
