// Frame allocation: how many pages of its own each space may have in memory.
//   scope global       as many as it gets: all compete in one pool
//   scope local        it replaces its own pages, and has as many frames as the chosen policy
//                      (frame_allocation/) says
// RLIMIT_RSS binds in any scope. A program that has more waits for a round of reclaim before it gets another.
// Locks: PagingState's fields are the reclaim thread's.
#pragma once

#include "kernel/lib/policy_choice.hpp"
#include "mm/memory_policies.hpp"

class AddressSpace;

extern const PolicyChoice kScopeChoice;            // vm.replacement_scope=
extern const PolicyChoice kFrameAllocationChoice;  // vm.frame_allocation=
// RLIMIT_RSS: obeyed from now on.
void set_limit_resident(AddressSpace& space, uint32_t bytes);

// --- for the reclaim thread
bool allocate_frames_to_spaces();  // sets frames_most; true: a space has more
uint32_t evict_excess();           // how many frames are free by it
