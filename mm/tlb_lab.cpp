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

// Two pages that are mapped change places: each gets the other's entry. Then of both pages the TLBs of all
// CPUs forget what they remember (flush_range()), or this CPU's only (flush_range_here()), or none.
// Lab 11.2: stub { (void)pages; (void)a; (void)b; (void)scope; }
void exchange_entries(UserPages& pages, VirtAddr a, VirtAddr b, FlushScope scope) {
    std::swap(*pages.find(a), *pages.find(b));
    for (const VirtAddr page : {a, b}) {
        const VirtAddr end = page + kPageSize;
        if (scope == FlushScope::all) flush_range(pages.directory(), page, end);
        if (scope == FlushScope::here) flush_range_here(pages.directory(), page, end);
    }
}

// No TLB leads to them any more.
void put_stale(StalePages& stale) {
    for (Frame& frame : stale.frames)
        if (frame.raw()) put_frame(std::exchange(frame, Frame()));
}

}  // namespace

void forget_stale(SpaceState& space) {
    for (uint32_t i = 0; i < 2; ++i) {
        const VirtAddr page = space.stale.pages[i];
        if (space.stale.frames[i].raw())
            flush_range(space.pages.directory(), page, page + kPageSize);
    }
    put_stale(space.stale);
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
    for (const Frame frame : stale.frames) get_frame(frame);
    exchange_entries(locked->pages, a, b, scope);
    if (tracked_frames) {
        move_tracked(first->frame(), a);
        move_tracked(second->frame(), b);
    }
    if (scope == FlushScope::all) put_stale(stale);
    return {};
}
