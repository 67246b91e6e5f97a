// See fault.hpp. A program that runs one page of a file will soon run the next: what is in memory
// of the 64 KiB around the page is mapped by one fault.
#include <algorithm>
#include <utility>

#include "mm/fault.hpp"

Frame map_around(LockedSpace& space, const Region& region, VirtAddr page, PageEntry* slot) {
    constexpr uint32_t kAround = 16, kAroundBytes = kAround * kPageSize;
    const VirtAddr block(align_down(page.raw(), kAroundBytes));
    const VirtAddr first = std::max(block, region.start);
    const uint32_t count = (std::min(block + kAroundBytes, region.end) - first) >> kPageShift;
    const uint32_t self = (page - first) >> kPageShift;
    PageEntry* slots = slot - self;  // of one table, as a block is aligned to its size
    uint32_t wanted = 0;
    for (uint32_t i = 0; i < count; ++i) wanted |= static_cast<uint32_t>(!slots[i].raw) << i;
    if (space->lab) wanted &= 1u << self;  // it is to see each page's first access
    Frame frames[kAround];
    region.attributes.pager->cached_frames(region.pager_index(first), wanted, {frames, count});
    const Frame own = std::exchange(frames[self], Frame(0));
    space->pages.fill_from_file(slots, {frames, count}, kEntryPresent | kEntryUser);
    return own;
}
