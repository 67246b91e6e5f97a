// Moving and resizing mappings. See address_space.hpp.
// Spec: mremap(2).
#include <algorithm>

#include "mm/address_space.hpp"
#include "mm/session.hpp"

namespace {}  // namespace

// The region's part `from` is at `to` afterwards, which is free; with `keep`, `from` stays mapped,
// without its pages. An empty `from` only gets `to` as a second view of the same object.
Result<VirtAddr> AddressSpace::move_region(const Region& region, Range from, Range to, bool keep) {
    const RegionAttributes attributes = region.attributes;
    const uint32_t offset = attributes.pager ? region.pager_index(from.start) : 0;
    const uint32_t bytes = std::min(from.bytes(), to.bytes());
    Result<void> ready = bytes ? pages_.make_tables(to.start, to.start + bytes) : Result<void>();
    if (ready.is_ok()) ready = regions_.insert(to.start, to.end, attributes, offset);
    if (ready.is_error()) {
        pages_.clear(to.start, to.start + bytes);
        return ready.error();
    }
    pages_.move(from.start, to.start, bytes);
    trace_mapped(to.start, to.end, attributes);
    if (keep) static_cast<void>(regions_.set_lock(from.start, from.end, RegionLock::none));
    // If there is no memory to cut the old region, it stays, without its pages.
    else if (from.bytes() && unmap_range(from).is_error())
        pages_.clear(from.start, from.end);
    return to.start;
}

// The region that `from` lies in, if it may have so many bytes.
Result<Region*> AddressSpace::check_resize(Range from, uint32_t bytes, const Overlap& going) {
    Region* region = regions_.find(from.start);
    if (!region) return Errno::fault;
    const RegionAttributes& a = region->attributes;
    if (from.bytes() == 0 && !a.shared) return Errno::inval;
    if (from.end > region->end) return Errno::fault;
    if (bytes <= from.bytes()) return region;
    if (a.pager) {
        const uint32_t first = region->pager_index(from.start);
        if (first + (bytes >> kPageShift) < first) return Errno::inval;
    }
    TRY(check_growth((bytes - from.bytes()) >> kPageShift, a, going));
    return region;
}

Result<VirtAddr> AddressSpace::remap_placed(Range from, Range to, uint32_t flags) {
    const bool keep = flags & kRemapKeep, fixed = flags & kRemapFixed;
    const Overlap going = fixed ? overlap(to) : Overlap();
    const Region* region = TRY(check_resize(from, to.bytes(), going));
    // A second view in place of what it is a view of.
    if (from.bytes() == 0 && to.start == from.start) return Errno::fault;
    if (keep) TRY(check_growth(to.pages(), region->attributes, going));
    if (fixed) {
        TRY(unmap_range(to));
    } else if (to.start < kLowestMapping || !regions_.is_free(to.start, to.end)) {
        to.start = TRY(find_room(from.bytes()));
        to.end = to.start + from.bytes();
    }
    return move_region(*regions_.find(from.start), from, to, keep);
}

Result<VirtAddr> AddressSpace::resize(Range from, uint32_t bytes, uint32_t flags) {
    if (bytes <= from.bytes()) {
        if (!regions_.find(from.start)) return Errno::fault;
        if (bytes < from.bytes()) TRY(unmap_range({from.start + bytes, from.end}));
        return from.start;
    }
    Region& region = *TRY(check_resize(from, bytes, Overlap()));
    if (from.bytes() && from.end == region.end && bytes <= kUserTop - from.start &&
        regions_.is_free(from.end, from.start + bytes)) {
        regions_.set_end(region, from.start + bytes);
        trace_mapped(from.end, from.start + bytes, region.attributes);
        return from.start;
    }
    if (!(flags & kRemapMayMove)) return Errno::nomem;
    const VirtAddr room = TRY(find_room(bytes));
    return move_region(region, from, {room, room + bytes}, false);
}

Result<VirtAddr> AddressSpace::remap(VirtAddr start, uint32_t old_length, uint32_t new_length,
                                     uint32_t flags, VirtAddr new_start) {
    const bool may_move = flags & kRemapMayMove;
    Range from, to;
    if (!is_page_aligned(start) || flags & ~(kRemapMayMove | kRemapFixed | kRemapKeep) ||
        (flags & (kRemapFixed | kRemapKeep) && !may_move) || new_length == 0 ||
        !make_range(start, old_length, from) || new_length > kUserTop.raw())
        return Errno::inval;
    const uint32_t bytes = align_up(new_length, kPageSize);
    if (flags & kRemapKeep && bytes != from.bytes()) return Errno::inval;
    const bool placed = flags & (kRemapFixed | kRemapKeep);
    if (placed && (!is_page_aligned(new_start) || !make_range(new_start, bytes, to) ||
                   (to.start < from.end && from.start < to.end)))
        return Errno::inval;
    if (flags & kRemapFixed && to.start < kLowestMapping) return Errno::perm;
    VirtAddr result;
    bool bring_in;
    {
        Session session(*this);
        result = TRY(placed ? remap_placed(from, to, flags) : resize(from, bytes, flags));
        bring_in =
            bytes > from.bytes() && regions_.find(result)->attributes.lock == RegionLock::whole;
    }
    if (bring_in) static_cast<void>(populate({result + from.bytes(), result + bytes}, false));
    return result;
}
