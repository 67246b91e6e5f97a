// Moving and resizing mappings; advice and sync. See address_space.hpp.
// Spec: mremap(2), madvise(2), msync(2).
#include <algorithm>

#include "mm/address_space.hpp"
#include "mm/session.hpp"

namespace {

enum Advice : uint32_t {
    kAdviseNormal = 0,
    kAdviseWillNeed = 3,
    kAdviseDontNeed = 4,
    kAdviseFree = 8,
    kAdviseDoFork = 11,
    kAdviseMergeable = 12,
    kAdviseDoDump = 17,
    kAdviseKeepOnFork = 19,
    kAdvisePageOut = 21,
};

// Advice that changes what a program sees must be obeyed or refused; the rest may be ignored.
bool is_known(uint32_t advice) {
    return advice <= kAdviseDontNeed || advice == kAdviseFree || advice == kAdviseDoFork ||
           (advice >= kAdviseMergeable && advice <= kAdviseDoDump) ||
           (advice >= kAdviseKeepOnFork && advice <= kAdvisePageOut);
}

bool is_page_aligned(VirtAddr address) { return !(address.raw() & kPageMask); }

}  // namespace

// The region's part `from` is at `to` afterwards, which is free and at least as long.
Result<VirtAddr> AddressSpace::move_region(const Region& region, Range from, Range to) {
    const RegionAttributes attributes = region.attributes;
    const uint32_t offset = attributes.pager ? region.pager_index(from.start) : 0;
    const uint32_t bytes = std::min(from.bytes(), to.bytes());
    Result<void> ready = pages_.make_tables(to.start, to.start + bytes);
    if (ready.is_ok()) ready = regions_.insert(to.start, to.end, attributes, offset);
    if (ready.is_error()) {
        pages_.clear(to.start, to.start + bytes);
        return ready.error();
    }
    pages_.move(from.start, to.start, bytes);
    trace_mapped(to.start, to.end, attributes);
    // If there is no memory to cut the old region, it stays, without its pages.
    if (unmap_range(from).is_error()) pages_.clear(from.start, from.end);
    return to.start;
}

Result<VirtAddr> AddressSpace::remap(VirtAddr start, uint32_t old_length, uint32_t new_length,
                                     uint32_t flags, VirtAddr new_start) {
    const bool fixed = flags & kRemapFixed, may_move = flags & kRemapMayMove;
    Range from, to;
    if (!is_page_aligned(start) || flags & ~(kRemapMayMove | kRemapFixed) || (fixed && !may_move) ||
        old_length == 0 || new_length == 0 || !make_range(start, old_length, from) ||
        new_length > kUserTop.raw())
        return Errno::inval;
    const uint32_t bytes = align_up(new_length, kPageSize);
    if (fixed && (!is_page_aligned(new_start) || !make_range(new_start, bytes, to) ||
                  (to.start < from.end && from.start < to.end)))
        return Errno::inval;
    if (fixed && to.start < kLowestMapping) return Errno::perm;

    Session session(*this);
    Region* region = regions_.find(from.start);
    if (!region || from.end > region->end) return Errno::fault;
    if (bytes > from.bytes()) {
        TRY(check_growth((bytes - from.bytes()) >> kPageShift, region->attributes));
    }
    if (fixed) {
        TRY(unmap_range(to));
        region = regions_.find(from.start);
        return move_region(*region, from, to);
    }
    if (bytes <= from.bytes()) {
        if (bytes < from.bytes()) TRY(unmap_range({from.start + bytes, from.end}));
        return start;
    }
    if (from.end == region->end && bytes <= kUserTop - from.start &&
        regions_.is_free(from.end, from.start + bytes)) {
        regions_.set_end(*region, from.start + bytes);
        trace_mapped(from.end, from.start + bytes, region->attributes);
        return start;
    }
    if (!may_move) return Errno::nomem;
    const VirtAddr room = TRY(find_room(bytes));
    return move_region(*region, from, {room, room + bytes});
}

Result<void> AddressSpace::advise(VirtAddr start, uint32_t length, uint32_t advice) {
    Range range;
    if (!is_page_aligned(start) || !is_known(advice) || length > align_up(length, kPageSize) ||
        start.raw() + length < start.raw())
        return Errno::inval;
    if (!make_range(start, length, range)) return Errno::nomem;
    const bool discard = advice == kAdviseDontNeed || advice == kAdviseFree;
    // Spec: what is mapped in the range is treated, and then ENOMEM says that not all of it was.
    bool covered;
    {
        Session session(*this);
        covered = regions_.is_covered(range.start, range.end);
        for (const Region* r = regions_.find_from(range.start); r && r->start < range.end;
             r = regions_.next(*r)) {
            if (!discard) break;
            const RegionAttributes& a = r->attributes;
            if (a.locked || (advice == kAdviseFree && a.pager)) return Errno::inval;
            // What a pager holds comes back from there, the rest as zeros.
            pages_.clear(std::max(r->start, range.start), std::min(r->end, range.end));
        }
    }
    if (advice == kAdviseWillNeed) static_cast<void>(populate(range, true));
    return covered ? Result<void>() : Errno::nomem;
}

Result<void> AddressSpace::sync(VirtAddr start, uint32_t length, uint32_t flags) {
    Range range;
    if (!is_page_aligned(start) || flags & ~(kSyncAsync | kSyncInvalidate | kSyncNow) ||
        (flags & kSyncAsync && flags & kSyncNow))
        return Errno::inval;
    if (!make_range(start, length, range)) return Errno::nomem;
    bool covered;
    {
        Session session(*this);
        covered = regions_.is_covered(range.start, range.end);
        if (flags & kSyncInvalidate && locked_pages(range)) return Errno::busy;
    }
    if (!(flags & kSyncNow)) return covered ? Result<void>() : Errno::nomem;
    // Pagers learnt of written pages at the first write (mark_dirty); they sleep, without our lock.
    for (VirtAddr at = range.start; at < range.end;) {
        Ref<Pager> pager;
        {
            Session session(*this);
            const Region* region = regions_.find_from(at);
            if (!region || region->start >= range.end) break;
            at = region->end;
            if (region->attributes.shared) pager = region->attributes.pager;
        }
        if (pager) TRY(pager->sync());
    }
    return covered ? Result<void>() : Errno::nomem;
}
