// The laboratory of the TLB (/proc/tlb): two pages of a process change places and the TLBs are not
// told, so that the process sees what a forgotten flush does. It can only hurt itself: the frames
// that a stale entry leads to are held until every TLB has forgotten them.
#pragma once

#include "mm/locked_space.hpp"

enum class FlushScope : uint8_t { none, here, all };

// Two private pages of the caller's own change places, and only these TLBs learn of it. What the
// others may still reach stays until end_stale() (or the next exchange). EINVAL, EFAULT.
Result<void> exchange_pages(AddressSpace& space, VirtAddr a, VirtAddr b, FlushScope scope);
void end_stale(AddressSpace& space);
// Its lock is held, or no other thread knows the space.
void forget_stale(SpaceState& space);
