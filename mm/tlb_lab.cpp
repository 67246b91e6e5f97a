// See tlb_lab.hpp.
#include "mm/tlb_lab.hpp"

#include <utility>

#include "mm/frames.hpp"
#include "mm/tracked_frames.hpp"

namespace {

// A private page that nobody shares.
bool may_remap(const PageEntry* entry) {
    return entry && entry->present() && !entry->has(kEntryFile) &&
           frame_references(entry->frame()) == 1;
}

}  // namespace

void forget_stale(SpaceState& space) {
    StalePages& stale = space.stale;
    for (uint32_t i = 0; i < 2; ++i) {
        if (!stale.frames[i].raw()) continue;
        flush_range(space.pages.directory(), stale.pages[i], stale.pages[i] + kPageSize);
        put_frame(std::exchange(stale.frames[i], Frame()));
    }
}

void end_stale(AddressSpace& space) {
    LockedSpace locked(space);
    forget_stale(*locked.operator->());
}

Result<void> exchange_pages(AddressSpace& space, VirtAddr a, VirtAddr b, FlushScope scope) {
    if ((a.raw() | b.raw()) & kPageMask || a >= kUserTop || b >= kUserTop || a == b)
        return Errno::inval;
    LockedSpace locked(space);
    forget_stale(*locked.operator->());
    StalePages& stale = locked->stale;
    PageEntry *first = locked->pages.find(a), *second = locked->pages.find(b);
    if (!may_remap(first) || !may_remap(second)) return Errno::fault;
    stale.pages[0] = a, stale.pages[1] = b;
    stale.frames[0] = first->frame(), stale.frames[1] = second->frame();
    std::swap(*first, *second);
    if (tracked_frames) {
        move_tracked(first->frame(), a);
        move_tracked(second->frame(), b);
    }
    for (const Frame frame : stale.frames) get_frame(frame);
    if (scope == FlushScope::all) forget_stale(*locked.operator->());
    if (scope == FlushScope::here)
        for (const VirtAddr page : stale.pages)
            flush_range_here(locked->pages.directory(), page, page + kPageSize);
    return {};
}
