// What an address space does about pages that are, or go, in swap. See swap.hpp.
#include <utility>

#include "mm/all_spaces.hpp"
#include "mm/paging_lab.hpp"
#include "mm/reclaim.hpp"
#include "mm/session.hpp"
#include "mm/shared_pages.hpp"
#include "mm/tracked_frames.hpp"

// A slot that must be read first is left to the caller, who lets go of the lock meanwhile: reclaim
// runs just then, and could evict nothing of a locked space.
FaultResult AddressSpace::swap_in(Region& region, VirtAddr page, PageEntry* slot, bool write,
                                  Awaited& awaited) {
    const SwapEntry entry{slot->raw};
    Frame frame;
    if (!swap_find(entry, frame)) {
        swap_add_name(entry);
        awaited.swapped = slot->raw;
        return FaultResult::must_read;
    }
    pages_.fill_swapped(slot, PageEntry::make(frame, kEntryPresent | kEntryUser));
    track_frame(frame, page, pool_);
    swap_drop_name(entry);
    FaultResult result = awaited.resolved(FaultSource::swap, frame);
    if (write) result = allow_write(region, page, slot, awaited);
    awaited.source = FaultSource::swap;
    return result;
}

AddressSpace::Awaited::~Awaited() {
    if (frame.raw()) put_frame(frame);
}

FaultResult AddressSpace::Awaited::read() {
    Errno error{};
    if (swapped) {
        const SwapEntry entry{std::exchange(swapped, 0)};
        const Result<void> done = swap_read(entry);
        swap_drop_name(entry);
        if (done.is_error()) error = done.error();
    } else {
        if (frame.raw()) put_frame(std::exchange(frame, Frame(0)));
        const Result<Frame> found = pager->frame_for(index, pattern);
        if (found.is_ok()) frame = found.value();
        if (found.is_error()) error = found.error();
    }
    if (error == Errno{}) return FaultResult::must_read;  // and now it can be
    return error == Errno::nomem ? FaultResult::out_of_memory : FaultResult::bus_error;
}

bool AddressSpace::bring_in_area(uint32_t area) {
    for (VirtAddr at(0);;) {
        VirtAddr wanted = kUserTop;
        {
            Session session(*this);
            pages_.for_each(at, kUserTop, [&](VirtAddr page, PageEntry& entry) {
                const bool here = entry.swapped() && SwapEntry{entry.raw}.area() == area;
                if (here && page < wanted) wanted = page;
            });
        }
        if (wanted == kUserTop) return true;
        const FaultResult result = handle_fault(wanted, false, false, false);
        if (result == FaultResult::out_of_memory || result == FaultResult::bus_error) return false;
        at = wanted + kPageSize;
    }
}

Result<void> swap_in_all(uint32_t area) {
    for (Ref<AddressSpace> space = AllSpaces::next(nullptr); space;
         space = AllSpaces::next(space.get()))
        if (!space->bring_in_area(area)) return Errno::nomem;
    AllSharedPages all;
    while (SharedPages* pages = all.next()) TRY(pages->bring_in(area));
    return {};
}

// Reclaim must not wait for a space, whose owner may be waiting for reclaim.
template <typename F>
bool AddressSpace::try_session(F&& action) {
    if (!lock_.try_lock()) return false;
    const bool done = action();
    lock_.unlock();
    return done;
}

bool AddressSpace::evict(Frame frame, VirtAddr page, SwapEntry entry) {
    return try_session([&] {
        PageEntry* slot = pages_.find(page);
        if (!slot || !slot->holds_frame() || slot->has(kEntryFile) || slot->frame() != frame)
            return false;
        const Region* region = regions_.find(page);
        if (!region || region->attributes.locked() || (lab_ && lab_->covers(page))) return false;
        swap_add_name(entry);
        trace_evicted(page, frame, slot->has(kEntryDirty));
        pages_.replace_by_swap(page, slot, PageEntry{entry.raw});
        return true;
    });
}

void AddressSpace::sample(uint32_t now) {
    try_session([&] {
        bool changed = false;
        uint32_t recent = 0;
        {
            LockGuard guard(swap_lock);
            pages_.for_each(VirtAddr(0), kUserTop, [&](VirtAddr, PageEntry& entry) {
                if (!entry.holds_frame()) return;
                TrackedFrame& page = tracked(entry.frame());
                const bool used = entry.has(kEntryPresent | kEntryAccessed);
                if (used) page.seen = now;
                if (page.seen && now - page.seen <= kWorkingSetWindow) ++recent;
                // Of a file's page the cache's own clock wants to see the bit too.
                if (!used || (entry.has(kEntryFile) && !page.node.linked())) return;
                page.referenced = true;
                page.modified |= entry.has(kEntryDirty);
                entry = entry.without(kEntryAccessed);
                changed = true;
            });
        }
        paging_.working_set = recent;
        // The processor notes an access again only once it has forgotten the entry.
        if (changed) flush_range(pages_.directory(), VirtAddr(0), kUserTop);
        return true;
    });
}

uint32_t AddressSpace::next_private(std::span<Frame> to) {
    uint32_t count = 0;
    try_session([&] {
        VirtAddr last(0);
        pages_.for_each(hand_, kUserTop, [&](VirtAddr page, PageEntry& entry) {
            if (count == to.size() || !entry.holds_frame() || entry.has(kEntryFile)) return;
            get_frame(entry.frame());
            to[count++] = entry.frame();
            last = page;
        });
        hand_ = count < to.size() ? VirtAddr(0) : last + kPageSize;
        return true;
    });
    return count;
}

// Whether the space has no entry for this page of a file any more.
bool AddressSpace::give_up_file_page(const Pager& pager, uint32_t index, Frame frame,
                                     bool even_if_used) {
    return try_session([&] {
        for (Region* r = regions_.find_from(VirtAddr(0)); r; r = regions_.next(*r)) {
            if (!r->attributes.pager || &r->attributes.pager->base() != &pager ||
                index < r->page_offset || index - r->page_offset >= r->bytes() >> kPageShift)
                continue;
            const VirtAddr page = r->start + ((index - r->page_offset) << kPageShift);
            PageEntry* slot = pages_.find(page);
            if (!slot || !slot->has(kEntryFile) || slot->frame() != frame) continue;
            if (r->attributes.locked() || (lab_ && lab_->covers(page))) return false;
            if (!even_if_used && slot->has(kEntryAccessed)) {
                // A TLB that still has the entry won't note the next use: a guess, and cheap.
                *slot = slot->without(kEntryAccessed);
                return false;
            }
            trace_evicted(page, frame, even_if_used && slot->has(kEntryDirty));
            pages_.clear(page, page + kPageSize);
        }
        return true;
    });
}
