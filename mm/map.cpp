// Mapping, unmapping and protecting ranges; the heap and the stack. See address_space.hpp.
// Spec: mmap(2), munmap(2), mprotect(2), brk(2).
#include "mm/mapping.hpp"

#include <algorithm>

#include "mm/anonymous_pager.hpp"
#include "mm/memory_trace.hpp"
#include "mm/mlock.hpp"
#include "mm/swap.hpp"

namespace {

constexpr uint32_t kMapTypeMask = 0xf, kMapSharedValidate = 3;
constexpr uint32_t kProtAll = kProtRead | kProtWrite | kProtExecute;
constexpr uint32_t kProtSemaphore = 8;  // accepted and without meaning, as on Linux' i386
constexpr uint32_t kProtGrowsDown = 0x1000000, kProtGrowsUp = 0x2000000;
constexpr uint32_t kStackStart = 32 * kPageSize;

}  // namespace

constinit Atomic<uint32_t> region_count_most = 65530;

bool make_range(VirtAddr start, uint32_t length, PageRange& out) {
    if (start > kUserTop || length > kUserTop - start) return false;
    out = {start, VirtAddr(align_up((start + length).raw(), kPageSize))};
    return true;
}

Overlap overlap(const LockedSpace& space, PageRange range) {
    Overlap there;
    for (const Region* r = space->regions.find_from(range.start); r && r->start < range.end;
         r = space->regions.next(*r)) {
        const uint32_t pages =
            (std::min(r->end, range.end) - std::max(r->start, range.start)) >> kPageShift;
        const RegionAttributes& a = r->attributes;
        there.all += pages;
        if (a.is_data() && !a.grows_down) there.data += pages;
        if (a.commits()) there.committed += pages;
    }
    return there;
}

Result<void> check_growth(const LockedSpace& space, uint32_t pages,
                          const RegionAttributes& attributes, const Overlap& going) {
    if (space->regions.pages() - going.all + pages > space.space().limits.address_space >>
        kPageShift)
        return Errno::nomem;
    if (attributes.commits() && pages > going.committed)
        TRY(check_commitment(pages - going.committed));
    // Spec: getrlimit(2): RLIMIT_DATA counts private writable mappings too.
    if (attributes.is_data() && !attributes.grows_down &&
        space->regions.data() - going.data + pages > space.space().limits.data >> kPageShift)
        return Errno::nomem;
    if (attributes.locked() && check_locked(space, pages, space.space().limits.locked).is_error())
        return Errno::again;
    if (space->regions.count() >= region_count_most) return Errno::nomem;
    return {};
}

Result<VirtAddr> find_room(const LockedSpace& space, uint32_t bytes) {
    std::optional<VirtAddr> start = space->regions.find_gap(bytes, kLowestMapping, space->map_top);
    if (!start) start = space->regions.find_gap(bytes, kLowestMapping, kUserTop);
    if (!start) return Errno::nomem;
    return *start;
}

namespace {
Result<PageRange> place(const LockedSpace& space, const MapRequest& request) {
    const uint32_t bytes = align_up(request.length, kPageSize);
    PageRange range;
    if (request.flags & (kMapFixed | kMapFixedNoReplace)) {
        if (!is_page_aligned(request.hint)) return Errno::inval;
        if (!make_range(request.hint, bytes, range)) return Errno::nomem;
        if (range.start < kLowestMapping) return Errno::perm;
        if (request.flags & kMapFixedNoReplace) {
            const Region* there = space->regions.find_from(range.start);
            if (there && there->start < range.end) return Errno::exist;
        }
        return range;
    }
    const VirtAddr hint(align_down(request.hint.raw(), kPageSize));
    if (hint >= kLowestMapping && make_range(hint, bytes, range) &&
        space->regions.is_free(range.start, range.end))
        return range;
    const VirtAddr start = TRY(find_room(space, bytes));
    return PageRange{start, start + bytes};
}
}  // namespace

Result<VirtAddr> AddressSpace::map(const MapRequest& request) {
    const uint32_t type = request.flags & kMapTypeMask;
    const bool shared = type == kMapShared || type == kMapSharedValidate;
    if (request.length == 0 || (!shared && type != kMapPrivate)) return Errno::inval;
    if (request.protection & ~(kProtAll | kProtSemaphore)) return Errno::inval;
    if (request.length > kUserTop.raw()) return Errno::nomem;
    const uint32_t pages = pages_for(request.length);
    if (request.pager && request.page_offset + pages < pages) return Errno::overflow;
    const bool writable = request.protection & kProtWrite;
    if (shared && writable && !request.may_write) return Errno::acces;
    RegionAttributes attributes{
        .protection = request.protection & kProtAll,
        .shared = shared,
        .may_write = request.may_write || !shared,
        .grows_down = (request.flags & kMapGrowsDown) != 0,
        .lock = request.flags & kMapLocked ? RegionLock::whole : RegionLock::none,
        // Spec: mmap(2): where promises are kept, MAP_NORESERVE has no effect.
        .unreserved = (request.flags & kMapNoReserve) && commitment_rule.overcommit != 2,
        .pager = request.pager,
        .opener = shared ? request.opener : nullptr};
    if (attributes.grows_down && (shared || attributes.pager)) return Errno::inval;
    if (shared && !attributes.pager && !attributes.unreserved) TRY(check_commitment(pages));
    if (shared && !attributes.pager) attributes.pager = TRY(AnonymousPager::create(pages));

    PageRange range;
    {
        LockedSpace space(*this);
        range = TRY(place(space, request));
        attributes.lock = std::max(attributes.lock, space->lock_future);
        TRY(check_growth(space, pages, attributes, overlap(space, range)));
        if (request.flags & kMapFixed) TRY(unmap_range(space, range));
        TRY(space->regions.insert(range.start, range.end, attributes,
                                  request.pager ? request.page_offset : 0));
        trace_mapped(space, range.start, range.end, attributes);
    }
    // What can't be brought in now comes, or fails, when it is touched.
    if (attributes.lock == RegionLock::whole || request.flags & kMapPopulate)
        static_cast<void>(populate(*this, range, false));
    return range.start;
}

Result<void> unmap_range(LockedSpace& space, PageRange range) {
    TRY(space->regions.remove(range.start, range.end));
    space->pages.clear(range.start, range.end);
    trace_unmapped(space, range.start, range.end);
    return {};
}

Result<void> AddressSpace::unmap(VirtAddr start, uint32_t length) {
    PageRange range;
    if (!is_page_aligned(start) || length == 0 || !make_range(start, length, range))
        return Errno::inval;
    LockedSpace space(*this);
    // Only a hole in a region makes one more of it.
    const Region* region = space->regions.find_from(range.start);
    if (region && region->start < range.start && region->end > range.end)
        TRY(check_count(space, 1));
    return unmap_range(space, range);
}

Result<void> check_count(const LockedSpace& space, uint32_t more) {
    return space->regions.count() + more > region_count_most ? Result<void>(Errno::nomem)
                                                             : Result<void>();
}

namespace {
// What mprotect is to change: with PROT_GROWSDOWN, from the start of the stack on.
Result<PageRange> protected_range(const LockedSpace& space, VirtAddr start, uint32_t length,
                                  uint32_t grows) {
    PageRange range;
    if (!make_range(start, length, range)) return Errno::nomem;
    if (grows && range.bytes()) {
        const Region* first = space->regions.find_from(start);
        if (!first || first->start >= range.end) return Errno::nomem;
        if (grows != kProtGrowsDown || !first->attributes.grows_down) return Errno::inval;
        range.start = first->start;
    }
    return range;
}
}  // namespace

// What lies before a hole is changed all the same, as on Linux.
Result<void> AddressSpace::protect(VirtAddr start, uint32_t length, uint32_t protection) {
    const uint32_t grows = protection & (kProtGrowsDown | kProtGrowsUp);
    protection &= ~(grows | kProtSemaphore);
    if (!is_page_aligned(start) || protection & ~kProtAll ||
        grows == (kProtGrowsDown | kProtGrowsUp))
        return Errno::inval;
    LockedSpace space(*this);
    PageRange range = TRY(protected_range(space, start, length, grows));
    const VirtAddr wanted_end =
        std::exchange(range.end, space->regions.covered_until(range.start, range.end));
    const Result<void> done = range.end < wanted_end ? Errno::nomem : Result<void>();
    if (protection & kProtWrite)
        for (const Region* r = space->regions.find_from(range.start); r && r->start < range.end;
             r = space->regions.next(*r))
            if (!r->attributes.may_write) return Errno::acces;
    if (range.bytes() == 0) return done;
    TRY(check_count(space, space->regions.cuts(range.start, range.end)));
    if (protection & kProtWrite) {
        uint32_t more = 0, promised = 0;
        for (const Region* r = space->regions.find_from(range.start); r && r->start < range.end;
             r = space->regions.next(*r)) {
            const RegionAttributes& a = r->attributes;
            if (a.shared || a.is_data()) continue;
            const uint32_t pages =
                (std::min(r->end, range.end) - std::max(r->start, range.start)) >> kPageShift;
            if (!a.grows_down) more += pages;
            if (!a.unreserved) promised += pages;
        }
        if (more && space->regions.data() + more > space.space().limits.data >> kPageShift)
            return Errno::nomem;
        TRY(check_commitment(promised));
    }
    TRY(space->regions.protect(range.start, range.end, protection));
    // More rights are given page by page, as faults ask for them.
    if (!(protection & kProtWrite))
        space->pages.restrict(range.start, range.end,
                              protection ? UserPages::Rights::read : UserPages::Rights::none);
    return done;
}

void AddressSpace::set_break_start(VirtAddr start) {
    LockedSpace space(*this);
    space->break_start = space->break_end = start;
}

namespace {
// `grown`: what has to be brought in, if anything.
VirtAddr move_break(LockedSpace& space, VirtAddr end, PageRange& grown) {
    if (end < space->break_start || end > kUserTop ||
        end - space->break_start > space.space().limits.data)
        return space->break_end;
    const VirtAddr old_end(align_up(space->break_end.raw(), kPageSize));
    const VirtAddr new_end(align_up(end.raw(), kPageSize));
    if (new_end < old_end && unmap_range(space, {new_end, old_end}).is_error())
        return space->break_end;
    if (new_end > old_end) {
        const RegionAttributes heap{.protection = kProtRead | kProtWrite,
                                    .lock = space->lock_future,
                                    .label = RegionLabel::heap};
        if (!space->regions.is_free(old_end, new_end) ||
            check_growth(space, (new_end - old_end) >> kPageShift, heap).is_error() ||
            space->regions.insert(old_end, new_end, heap, 0).is_error())
            return space->break_end;
        trace_mapped(space, old_end, new_end, heap);
        if (space->lock_future == RegionLock::whole) grown = {old_end, new_end};
    }
    return space->break_end = end;
}
}  // namespace

VirtAddr AddressSpace::set_break(VirtAddr end) {
    PageRange grown{end, end};
    VirtAddr result;
    {
        LockedSpace space(*this);
        result = move_break(space, end, grown);
    }
    if (grown.bytes()) static_cast<void>(populate(*this, grown, false));
    return result;
}

Result<void> AddressSpace::map_stack(VirtAddr top, uint32_t limit_bytes) {
    constexpr uint32_t kRoomLeast = 128u << 20, kRoomMost = kUserTop.raw() / 6 * 5;
    const RegionAttributes stack{
        .protection = kProtRead | kProtWrite, .grows_down = true, .label = RegionLabel::stack};
    LockedSpace space(*this);
    limits.stack = limit_bytes;
    const uint32_t room = std::clamp(limit_bytes, kRoomLeast, kRoomMost);
    space->map_top = VirtAddr(align_down((top - room - kStackGuardGap).raw(), kPageSize));
    const VirtAddr start = top - std::clamp(limit_bytes & ~kPageMask, kPageSize, kStackStart);
    if (!space->regions.is_free(start, top)) return Errno::nomem;
    TRY(check_growth(space, (top - start) >> kPageShift, stack));
    return space->regions.insert(start, top, stack, 0);
}
