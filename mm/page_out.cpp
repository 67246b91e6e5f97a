// See page_out.hpp.
#include "mm/page_out.hpp"

#include <algorithm>
#include <utility>

#include "mm/memory_trace.hpp"
#include "mm/paging_lab.hpp"
#include "mm/tracked_frames.hpp"

namespace {
bool lab_has(const LockedSpace& space, VirtAddr page) {
    return space->lab && space->lab->covers(page);
}
}  // namespace

bool evict_page(AddressSpace& of, Frame frame, VirtAddr page, SwapEntry entry, bool& locked) {
    return LockedSpace::if_free(of, [&](LockedSpace& space) {
        PageEntry* slot = space->pages.find(page);
        if (!slot || !slot->holds_frame() || slot->has(kEntryFile) || slot->frame() != frame)
            return false;
        const Region* region = space->regions.find(page);
        locked |= region && region->attributes.locked();
        if (!region || locked || lab_has(space, page)) return false;
        swap_add_name(entry);
        trace_evicted(space, page, frame, slot->has(kEntryDirty));
        space->pages.replace_by_swap(page, slot, PageEntry{entry.raw});
        return true;
    });
}

// The window is the program's own time: one that waits for its pages has not stopped to need them.
// What it needs and has not is estimated: as many pages as came from swap in the window.
// A frame that several spaces map knows the time of the last one only.
void sample_accessed_bits(AddressSpace& of) {
    LockedSpace::if_free(of, [&](LockedSpace& space) {
        bool changed = false;
        uint32_t recent = 0;
        PagingState& state = of.paging();
        const uint32_t now = state.own_time + 1;
        if (now - state.half_since >= kWorkingSetWindow / 2) {
            state.brought_in_before = std::exchange(state.brought_in, 0);
            state.half_since = now;
        }
        {
            LockGuard guard(swap_lock);
            space->pages.for_each(VirtAddr(0), kUserTop, [&](VirtAddr, PageEntry& entry) {
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
        state.working_set =
            recent + std::min(space->pages.swapped(), state.brought_in + state.brought_in_before);
        // The processor notes an access again only once it has forgotten the entry.
        if (changed) flush_range(space->pages.directory(), VirtAddr(0), kUserTop);
        return true;
    });
}

uint32_t next_private(AddressSpace& of, std::span<Frame> to) {
    uint32_t count = 0;
    LockedSpace::if_free(of, [&](LockedSpace& space) {
        VirtAddr last(0);
        space->pages.for_each(space->eviction_hand, kUserTop, [&](VirtAddr page, PageEntry& entry) {
            if (count == to.size() || !entry.holds_frame() || entry.has(kEntryFile)) return;
            get_frame(entry.frame());
            to[count++] = entry.frame();
            last = page;
        });
        space->eviction_hand = count < to.size() ? VirtAddr(0) : last + kPageSize;
        return true;
    });
    return count;
}

// Whether the space has no entry for this page of a file any more.
bool give_up_file_page(AddressSpace& of, const Pager& pager, uint32_t index, Frame frame,
                       bool even_if_used) {
    return LockedSpace::if_free(of, [&](LockedSpace& space) {
        for (Region* r = space->regions.find_from(VirtAddr(0)); r; r = space->regions.next(*r)) {
            if (!r->attributes.pager || &r->attributes.pager->base() != &pager ||
                index < r->page_offset || index - r->page_offset >= r->bytes() >> kPageShift)
                continue;
            const VirtAddr page = r->start + ((index - r->page_offset) << kPageShift);
            PageEntry* slot = space->pages.find(page);
            if (!slot || !slot->has(kEntryFile) || slot->frame() != frame) continue;
            if (r->attributes.locked() || lab_has(space, page)) return false;
            if (!even_if_used && slot->has(kEntryAccessed)) {
                // A TLB that still has the entry won't note the next use: a guess, and cheap.
                *slot = slot->without(kEntryAccessed);
                return false;
            }
            trace_evicted(space, page, frame, even_if_used && slot->has(kEntryDirty));
            space->pages.clear(page, page + kPageSize);
        }
        return true;
    });
}
