// The laboratory of the TLB (/proc/tlb): two pages of a process change places and the TLBs are not
// told, so that the process sees what a forgotten flush does. It can only hurt itself: the frames
// that a stale entry leads to are held until every TLB has forgotten them.
// Locks: the address space's.
#include <utility>

#include "mm/frames.hpp"
#include "mm/session.hpp"
#include "mm/tracked_frames.hpp"

namespace {

// A private page that nobody shares.
bool may_remap(const PageEntry* entry) {
    return entry && entry->present() && !entry->has(kEntryFile) &&
           frame_references(entry->frame()) == 1;
}

}  // namespace

// Lock held, or nobody else knows this space any more.
void AddressSpace::forget_stale() {
    for (uint32_t i = 0; i < 2; ++i) {
        if (!stale_frames_[i].raw()) continue;
        flush_range(pages_.directory(), stale_pages_[i], stale_pages_[i] + kPageSize);
        put_frame(std::exchange(stale_frames_[i], Frame()));
    }
}

void AddressSpace::end_stale() {
    Session session(*this);
    forget_stale();
}

Result<void> AddressSpace::exchange_pages(VirtAddr a, VirtAddr b, FlushScope scope) {
    if ((a.raw() | b.raw()) & kPageMask || a >= kUserTop || b >= kUserTop || a == b)
        return Errno::inval;
    Session session(*this);
    forget_stale();
    PageEntry *first = pages_.find(a), *second = pages_.find(b);
    if (!may_remap(first) || !may_remap(second)) return Errno::fault;
    stale_pages_[0] = a, stale_pages_[1] = b;
    stale_frames_[0] = first->frame(), stale_frames_[1] = second->frame();
    std::swap(*first, *second);
    if (tracked_frames) {
        move_tracked(first->frame(), a);
        move_tracked(second->frame(), b);
    }
    for (const Frame frame : stale_frames_) get_frame(frame);
    if (scope == FlushScope::all) forget_stale();
    if (scope == FlushScope::here)
        for (const VirtAddr page : stale_pages_)
            flush_range_here(pages_.directory(), page, page + kPageSize);
    return {};
}
