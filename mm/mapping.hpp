// The parts of mapping that mremap, mlock and the stack's growth need too (map.cpp). The lock is
// held: each takes a LockedSpace.
#pragma once

#include "mm/locked_space.hpp"

struct PageRange {
    VirtAddr start, end;
    uint32_t bytes() const { return end - start; }
    uint32_t pages() const { return bytes() >> kPageShift; }
};
constexpr PageRange kWholeSpace{VirtAddr(0), kUserTop};

// The pages of [start, start + length): false if it isn't within user space.
bool make_range(VirtAddr start, uint32_t length, PageRange& out);

// What is mapped in a range, in pages.
struct Overlap {
    uint32_t all = 0, data = 0, committed = 0;
};
Overlap overlap(const LockedSpace& space, PageRange range);

// ENOMEM, EAGAIN: so many pages more, less those that go, are beyond a limit.
Result<void> check_growth(const LockedSpace& space, uint32_t pages,
                          const RegionAttributes& attributes, const Overlap& going = {});
Result<void> check_count(const LockedSpace& space, uint32_t more);  // ENOMEM: too many regions

Result<VirtAddr> find_room(const LockedSpace& space, uint32_t bytes);
Result<void> unmap_range(LockedSpace& space, PageRange range);
