// Load control: when all programs' paging together keeps them from computing, one is suspended
// and its pages go to swap, so that the others' working sets fit; later it takes its turn again.
// Every window (250 ms) the chosen policy (load_control/) says whether there are too many programs
// (twice in a row: act), or room.
// The program that has been active longest is suspended. None starves: after a turn the one that has
// been suspended longest comes back, and another goes.
// Locks: none; all is the reclaim thread's. Spec: Denning, Working sets past and present (1980).
#pragma once

#include "kernel/lib/policy_choice.hpp"
#include "mm/memory_policies.hpp"

class AddressSpace;

extern const PolicyChoice kLoadControlChoice;  // vm.load_control=NAME, /proc/sys/vm/load_control

// kernel/proc: suspends or resumes all threads of the space. False: they may not be.
extern bool (*suspend_space_hook)(AddressSpace& space, bool suspended);

// A process that is suspended by order (/proc/sys/kernel/sched/suspend) gives up its frames to swap, and
// comes back only by order.
void order_out(AddressSpace& space, bool out);

void load_control_step();  // by the reclaim thread, often
bool load_control_due();   // it should be woken for a step

struct LoadCounts {
    uint32_t suspended, resumed;  // since boot
    uint32_t waiting_permille;    // time that programs waited for pages in the last window
};
extern LoadCounts load_counts;
