// Mapping, unmapping and protecting ranges; the heap and the stack. See address_space.hpp.
// Spec: mmap(2), munmap(2), mprotect(2), brk(2).
#include <algorithm>

#include "mm/address_space.hpp"
#include "mm/anonymous_pager.hpp"
#include "mm/frames.hpp"
#include "mm/session.hpp"
#include "mm/swap.hpp"

namespace {

constexpr uint32_t kMapTypeMask = 0xf, kMapSharedValidate = 3;
constexpr uint32_t kProtAll = kProtRead | kProtWrite | kProtExecute;
constexpr uint32_t kProtSemaphore = 8;  // accepted and without meaning, as on Linux' i386
constexpr uint32_t kRegionsMost = 65530;
constexpr uint32_t kStackStart = 32 * kPageSize;

bool is_page_aligned(VirtAddr address) { return !(address.raw() & kPageMask); }

}  // namespace

// The pages of [start, start + length): false if it isn't within user space.
bool AddressSpace::make_range(VirtAddr start, uint32_t length, Range& out) {
    if (start > kUserTop || length > kUserTop - start) return false;
    out = {start, VirtAddr(align_up((start + length).raw(), kPageSize))};
    return true;
}

Result<void> AddressSpace::check_growth(uint32_t pages, const RegionAttributes& attributes) const {
    if (regions_.pages() + pages > limit_address_space >> kPageShift) return Errno::nomem;
    if (attributes.commits()) TRY(check_commitment(pages));
    // Spec: getrlimit(2): RLIMIT_DATA counts private writable mappings too.
    if (!attributes.shared && attributes.protection & kProtWrite && !attributes.grows_down &&
        regions_.committed() + pages > limit_data >> kPageShift)
        return Errno::nomem;
    if (attributes.locked && check_locked(pages, limit_locked).is_error()) return Errno::again;
    if (regions_.count() >= kRegionsMost) return Errno::nomem;
    return {};
}

Result<VirtAddr> AddressSpace::find_room(uint32_t bytes) const {
    std::optional<VirtAddr> start = regions_.find_gap(bytes, kLowestMapping, map_top_);
    if (!start) start = regions_.find_gap(bytes, kLowestMapping, kUserTop);
    if (!start) return Errno::nomem;
    return *start;
}

Result<AddressSpace::Range> AddressSpace::place(const MapRequest& request) {
    const uint32_t bytes = align_up(request.length, kPageSize);
    Range range;
    if (request.flags & (kMapFixed | kMapFixedNoReplace)) {
        if (!is_page_aligned(request.hint)) return Errno::inval;
        if (!make_range(request.hint, bytes, range)) return Errno::nomem;
        if (range.start < kLowestMapping) return Errno::perm;
        if (request.flags & kMapFixedNoReplace) {
            const Region* there = regions_.find_from(range.start);
            if (there && there->start < range.end) return Errno::exist;
        }
        return range;
    }
    const VirtAddr hint(align_down(request.hint.raw(), kPageSize));
    if (hint >= kLowestMapping && make_range(hint, bytes, range) &&
        regions_.is_free(range.start, range.end))
        return range;
    const VirtAddr start = TRY(find_room(bytes));
    return Range{start, start + bytes};
}

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
    RegionAttributes attributes{.protection = request.protection & kProtAll,
                                .shared = shared,
                                .may_write = request.may_write || !shared,
                                .grows_down = (request.flags & kMapGrowsDown) != 0,
                                .locked = (request.flags & kMapLocked) != 0,
                                .unreserved = (request.flags & kMapNoReserve) != 0,
                                .pager = request.pager};
    if (attributes.grows_down && (shared || attributes.pager)) return Errno::inval;
    if (shared && !attributes.pager && !attributes.unreserved) TRY(check_commitment(pages));
    if (shared && !attributes.pager) attributes.pager = TRY(AnonymousPager::create(pages));

    Range range;
    {
        Session session(*this);
        range = TRY(place(request));
        attributes.locked |= lock_future_;
        TRY(check_growth(pages, attributes));
        if (request.flags & kMapFixed) TRY(unmap_range(range));
        TRY(regions_.insert(range.start, range.end, attributes,
                            request.pager ? request.page_offset : 0));
        trace_mapped(range.start, range.end, attributes);
    }
    // What can't be brought in now comes, or fails, when it is touched.
    if (attributes.locked || request.flags & kMapPopulate)
        static_cast<void>(populate(range, false));
    return range.start;
}

Result<void> AddressSpace::unmap_range(Range range) {
    TRY(regions_.remove(range.start, range.end));
    pages_.clear(range.start, range.end);
    trace_unmapped(range.start, range.end);
    return {};
}

Result<void> AddressSpace::unmap(VirtAddr start, uint32_t length) {
    Range range;
    if (!is_page_aligned(start) || length == 0 || !make_range(start, length, range))
        return Errno::inval;
    Session session(*this);
    return unmap_range(range);
}

Result<void> AddressSpace::protect(VirtAddr start, uint32_t length, uint32_t protection) {
    Range range;
    if (!is_page_aligned(start) || protection & ~(kProtAll | kProtSemaphore)) return Errno::inval;
    if (!make_range(start, length, range)) return Errno::nomem;
    protection &= kProtAll;
    Session session(*this);
    if (!regions_.is_covered(range.start, range.end)) return Errno::nomem;
    if (protection & kProtWrite)
        for (const Region* r = regions_.find_from(range.start); r && r->start < range.end;
             r = regions_.next(*r))
            if (!r->attributes.may_write) return Errno::acces;
    if (range.bytes() == 0) return {};
    if (protection & kProtWrite) {
        uint32_t more = 0;
        for (const Region* r = regions_.find_from(range.start); r && r->start < range.end;
             r = regions_.next(*r))
            if (!r->attributes.shared && !r->attributes.commits())
                more +=
                    (std::min(r->end, range.end) - std::max(r->start, range.start)) >> kPageShift;
        TRY(check_commitment(more));
    }
    TRY(regions_.protect(range.start, range.end, protection));
    // More rights are given page by page, as faults ask for them.
    if (!(protection & kProtWrite))
        pages_.restrict(range.start, range.end,
                        protection ? UserPages::Rights::read : UserPages::Rights::none);
    return {};
}

void AddressSpace::set_break_start(VirtAddr start) {
    Session session(*this);
    break_start_ = break_ = start;
}

VirtAddr AddressSpace::set_break(VirtAddr end) {
    Session session(*this);
    if (end < break_start_ || end > kUserTop || end - break_start_ > limit_data) return break_;
    const VirtAddr old_end(align_up(break_.raw(), kPageSize));
    const VirtAddr new_end(align_up(end.raw(), kPageSize));
    if (new_end < old_end && unmap_range({new_end, old_end}).is_error()) return break_;
    if (new_end > old_end) {
        const RegionAttributes heap{.protection = kProtRead | kProtWrite,
                                    .locked = lock_future_,
                                    .label = RegionLabel::heap};
        if (!regions_.is_free(old_end, new_end) ||
            check_growth((new_end - old_end) >> kPageShift, heap).is_error() ||
            regions_.insert(old_end, new_end, heap, 0).is_error())
            return break_;
        trace_mapped(old_end, new_end, heap);
    }
    return break_ = end;
}

Result<void> AddressSpace::map_stack(VirtAddr top, uint32_t limit_bytes) {
    constexpr uint32_t kRoomLeast = 128u << 20, kRoomMost = kUserTop.raw() / 6 * 5;
    const RegionAttributes stack{
        .protection = kProtRead | kProtWrite, .grows_down = true, .label = RegionLabel::stack};
    Session session(*this);
    limit_stack = limit_bytes;
    const uint32_t room = std::clamp(limit_bytes, kRoomLeast, kRoomMost);
    map_top_ = VirtAddr(align_down((top - room - kStackGuardGap).raw(), kPageSize));
    const VirtAddr start = top - std::clamp(limit_bytes & ~kPageMask, kPageSize, kStackStart);
    if (!regions_.is_free(start, top)) return Errno::nomem;
    TRY(check_growth((top - start) >> kPageShift, stack));
    return regions_.insert(start, top, stack, 0);
}
