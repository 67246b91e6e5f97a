// Pages that come back from swap. See fault.hpp and swap.hpp.
#include "mm/all_spaces.hpp"
#include "mm/fault.hpp"
#include "mm/shared_pages.hpp"
#include "mm/tracked_frames.hpp"

FaultResult swap_in(LockedSpace& space, Fault& fault, const Region& region, PageEntry* slot) {
    const SwapEntry entry{slot->raw};
    Frame frame;
    if (!swap_find(entry, frame)) return fault.must_read_slot(*slot);
    space->pages.fill_swapped(slot, PageEntry::make(frame, kEntryPresent | kEntryUser));
    track_frame(frame, fault.page, space.space().pool());
    swap_drop_name(entry);
    ++space.space().paging().brought_in;
    FaultResult result = fault.resolved(FaultSource::swap, frame);
    if (fault.write) result = allow_write(space, fault, region, slot);
    fault.source = FaultSource::swap;
    return result;
}

namespace {

// The first page from `at` on whose contents are in this area; kUserTop: none.
VirtAddr next_in_area(AddressSpace& space, VirtAddr at, uint32_t area) {
    LockedSpace locked(space);
    VirtAddr found = kUserTop;
    locked->pages.for_each(at, kUserTop, [&](VirtAddr page, PageEntry& entry) {
        const bool here = entry.swapped() && SwapEntry{entry.raw}.area() == area;
        if (here && page < found) found = page;
    });
    return found;
}

bool bring_in_area(AddressSpace& space, uint32_t area) {
    VirtAddr at(0);
    while ((at = next_in_area(space, at, area)) != kUserTop) {
        const FaultResult result = space.handle_fault(at, false, false);
        if (result == FaultResult::out_of_memory || result == FaultResult::bus_error) return false;
        at = at + kPageSize;
    }
    return true;
}

}  // namespace

Result<void> swap_in_all(uint32_t area) {
    for (Ref<AddressSpace> space = AllSpaces::next(nullptr); space;
         space = AllSpaces::next(space.get()))
        if (!bring_in_area(*space, area)) return Errno::nomem;
    AllSharedPages all;
    while (SharedPages* pages = all.next()) TRY(pages->bring_in(area));
    return {};
}
