// Moving and resizing mappings, and giving one another part of its file.
// Spec: mremap(2), remap_file_pages(2).
#include <algorithm>

#include "kernel/syscall/system_call.hpp"
#include "mm/mapping.hpp"
#include "mm/memory_trace.hpp"
#include "mm/mlock.hpp"

namespace {

constexpr uint32_t kRemapMayMove = 1, kRemapFixed = 2, kRemapKeep = 4;

// The region's part `from` is at `to` afterwards, which is free; with `keep`, `from` stays mapped,
// without its pages. An empty `from` only gets `to` as a second view of the same object.
Result<VirtAddr> move_region(LockedSpace& space, const Region& region, PageRange from, PageRange to,
                             bool keep) {
    const RegionAttributes attributes = region.attributes;
    const uint32_t offset = attributes.pager ? region.pager_index(from.start) : 0;
    const uint32_t bytes = std::min(from.bytes(), to.bytes());
    Result<void> ready =
        bytes ? space->pages.make_tables(to.start, to.start + bytes) : Result<void>();
    if (ready.is_ok()) ready = space->regions.insert(to.start, to.end, attributes, offset);
    if (ready.is_error()) {
        space->pages.clear(to.start, to.start + bytes);
        return ready.error();
    }
    space->pages.move(from.start, to.start, bytes);
    trace_mapped(space, to.start, to.end, attributes);
    if (keep) static_cast<void>(space->regions.set_lock(from.start, from.end, RegionLock::none));
    // If there is no memory to cut the old region, it stays, without its pages.
    else if (from.bytes() && unmap_range(space, from).is_error())
        space->pages.clear(from.start, from.end);
    return to.start;
}

// The region that `from` lies in, if it may have so many bytes.
Result<Region*> check_resize(LockedSpace& space, PageRange from, uint32_t bytes,
                             const Overlap& going) {
    Region* region = space->regions.find(from.start);
    if (!region) return Errno::fault;
    const RegionAttributes& a = region->attributes;
    if (from.bytes() == 0 && !a.shared) return Errno::inval;
    if (from.end > region->end) return Errno::fault;
    if (bytes <= from.bytes()) return region;
    if (a.pager) {
        const uint32_t first = region->pager_index(from.start);
        if (first + (bytes >> kPageShift) < first) return Errno::inval;
    }
    TRY(check_growth(space, (bytes - from.bytes()) >> kPageShift, a, going));
    return region;
}

Result<VirtAddr> remap_placed(LockedSpace& space, PageRange from, PageRange to, uint32_t flags) {
    const bool keep = flags & kRemapKeep, fixed = flags & kRemapFixed;
    const Overlap going = fixed ? overlap(space, to) : Overlap();
    const Region* region = TRY(check_resize(space, from, to.bytes(), going));
    // A second view in place of what it is a view of.
    if (from.bytes() == 0 && to.start == from.start) return Errno::fault;
    if (keep) TRY(check_growth(space, to.pages(), region->attributes, going));
    if (fixed) {
        TRY(unmap_range(space, to));
    } else if (to.start < kLowestMapping || !space->regions.is_free(to.start, to.end)) {
        to.start = TRY(find_room(space, from.bytes()));
        to.end = to.start + from.bytes();
    }
    return move_region(space, *space->regions.find(from.start), from, to, keep);
}

Result<VirtAddr> resize(LockedSpace& space, PageRange from, uint32_t bytes, uint32_t flags) {
    if (bytes <= from.bytes()) {
        if (!space->regions.find(from.start)) return Errno::fault;
        if (bytes < from.bytes()) TRY(unmap_range(space, {from.start + bytes, from.end}));
        return from.start;
    }
    Region& region = *TRY(check_resize(space, from, bytes, Overlap()));
    if (from.bytes() && from.end == region.end && bytes <= kUserTop - from.start &&
        space->regions.is_free(from.end, from.start + bytes)) {
        space->regions.set_end(region, from.start + bytes);
        trace_mapped(space, from.end, from.start + bytes, region.attributes);
        return from.start;
    }
    if (!(flags & kRemapMayMove)) return Errno::nomem;
    const VirtAddr room = TRY(find_room(space, bytes));
    return move_region(space, region, from, {room, room + bytes}, false);
}

// EINVAL, EFAULT, ENOMEM, EAGAIN, EPERM
Result<VirtAddr> remap(AddressSpace& space, VirtAddr start, uint32_t old_length,
                       uint32_t new_length, uint32_t flags, VirtAddr new_start) {
    const bool may_move = flags & kRemapMayMove;
    PageRange from, to;
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
        LockedSpace locked(space);
        result = TRY(placed ? remap_placed(locked, from, to, flags)
                            : resize(locked, from, bytes, flags));
        bring_in = bytes > from.bytes() &&
                   locked->regions.find(result)->attributes.lock == RegionLock::whole;
    }
    if (bring_in)
        static_cast<void>(populate(space, {result + from.bytes(), result + bytes}, false));
    return result;
}

}  // namespace

Result<uint32_t> sys_mremap(uint32_t start, uint32_t old_length, uint32_t new_length,
                            uint32_t flags, uint32_t new_start) {
    AddressSpace& space = growing_space();
    return TRY(remap(space, VirtAddr(start), old_length, new_length, flags, VirtAddr(new_start)))
        .raw();
}

// As on Linux since 4.0: an ordinary mapping in place of a part of one that is shared.
Result<void> sys_remap_file_pages(uint32_t address, uint32_t size, uint32_t protection,
                                  uint32_t page_offset, uint32_t flags) {
    constexpr uint32_t kNonBlock = 0x10000;
    PageRange range;
    const uint32_t bytes = align_down(size, kPageSize);
    if (protection || !make_range(VirtAddr(align_down(address, kPageSize)), bytes, range) ||
        !bytes || page_offset + range.pages() < page_offset)
        return Errno::inval;
    MapRequest request;
    request.hint = range.start;
    request.length = bytes;
    request.page_offset = page_offset;
    {
        LockedSpace locked(*current_process().space);
        const Region* first = locked->regions.find(range.start);
        if (!first || !first->attributes.shared) return Errno::inval;
        const RegionAttributes& a = first->attributes;
        for (const Region* at = first; at->end < range.end;) {
            const VirtAddr end = at->end;
            at = locked->regions.next(*at);
            if (!at || at->start != end || at->attributes != a) return Errno::inval;
        }
        request.protection = a.protection;
        request.flags = kMapShared | kMapFixed | (flags & kNonBlock ? 0 : kMapPopulate) |
                        (a.locked() ? kMapLocked : 0);
        request.pager = a.pager;
        request.opener = a.opener;
        request.may_write = a.may_write;
    }
    TRY(growing_space().map(request));
    return {};
}

constexpr SystemCall kRemapCalls[] = {
    CALL(163, mremap, sys_mremap),
    CALL(257, remap_file_pages, sys_remap_file_pages),
};
SYSTEM_CALLS(kRemapCalls);
