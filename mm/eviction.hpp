// Eviction: pages without a file to swap, in clusters: chosen (by the policy, or all of a space), given
// slots next to each other, taken away from all who map them, written together, and freed unless
// they were used meanwhile.
// Locks: only the reclaim thread calls these; address spaces are only tried.
#pragma once

#include "mm/address_space.hpp"

void eviction_init();  // allocates its buffer
// So many, as the pool's policy says; or whatever the space has, in the order of addresses. How
// many frames are free now.
uint32_t evict_from(ReplacementSet& pool, uint32_t wanted);
uint32_t evict_pages_of(AddressSpace& space, uint32_t wanted);

extern uint32_t samplings;  // how often all accessed bits were looked at: the policies' time
