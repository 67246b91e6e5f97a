// Load control: when all programs' paging together keeps them from computing, one is suspended
// and its pages go to swap, so that the others' working sets fit; later it takes its turn again.
// Every window (250 ms) the chosen policy (load_control/) says whether there are too many programs
// (twice in a row: act), or room.
// The rule of suspension.hpp says which one is suspended; the log and the trace say why. None starves:
// after a turn the one that has been suspended longest comes back, and another goes.
// Locks: none; all is the reclaim thread's. Spec: Denning, Working sets past and present (1980).
#pragma once

#include "kernel/lib/policy_choice.hpp"
#include "mm/memory_policies.hpp"

class AddressSpace;

extern const PolicyChoice kLoadControlChoice;  // vm.load_control=NAME, /proc/sys/vm/load_control
extern const PolicyChoice kLoadVictimChoice;   // vm.load_victim=NAME, /proc/sys/vm/load_victim

// kernel/proc: suspends or resumes all threads of the space. False: they may not be.
extern bool (*suspend_space_hook)(AddressSpace& space, bool suspended);
// kernel/proc: tells all spaces whose they are and how long their programs computed (PagingState).
extern void (*describe_spaces_hook)();

// A process that is suspended by order (/proc/sys/kernel/sched/suspend) gives up its frames to swap, and
// comes back only by order.
void order_out(AddressSpace& space, bool out);

void load_control_step();  // by the reclaim thread, often
bool load_control_due();   // it should be woken for a step

struct LoadCounts {
    uint32_t suspended, resumed;  // since boot
    // In the last window that had a fault:
    uint32_t waiting_permille;  // time that programs waited for pages, of the window
    uint32_t between_faults;    // L: microseconds from one fault to the next
    uint32_t service;           // S: microseconds to serve one
};
extern LoadCounts load_counts;
