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
constexpr uint32_t kProtGrowsDown = 0x1000000, kProtGrowsUp = 0x2000000;
constexpr uint32_t kStackStart = 32 * kPageSize;

}  // namespace

constinit uint32_t region_count_most = 65530;

// The pages of [start, start + length): false if it isn't within user space.
bool AddressSpace::make_range(VirtAddr start, uint32_t length, Range& out) {
    if (start > kUserTop || length > kUserTop - start) return false;
    out = {start, VirtAddr(align_up((start + length).raw(), kPageSize))};
    return true;
}

AddressSpace::Overlap AddressSpace::overlap(Range range) const {
    Overlap there;
    for (const Region* r = regions_.find_from(range.start); r && r->start < range.end;
         r = regions_.next(*r)) {
        const uint32_t pages =
            (std::min(r->end, range.end) - std::max(r->start, range.start)) >> kPageShift;
        const RegionAttributes& a = r->attributes;
        there.all += pages;
        if (a.is_data() && !a.grows_down) there.data += pages;
        if (a.commits()) there.committed += pages;
    }
    return there;
}

Result<void> AddressSpace::check_growth(uint32_t pages, const RegionAttributes& attributes,
                                        const Overlap& going) const {
    if (regions_.pages() - going.all + pages > limit_address_space >> kPageShift)
        return Errno::nomem;
    if (attributes.commits() && pages > going.committed)
        TRY(check_commitment(pages - going.committed));
    // Spec: getrlimit(2): RLIMIT_DATA counts private writable mappings too.
    if (attributes.is_data() && !attributes.grows_down &&
        regions_.data() - going.data + pages > limit_data >> kPageShift)
        return Errno::nomem;
    if (attributes.locked() && check_locked(pages, limit_locked).is_error()) return Errno::again;
    if (regions_.count() >= region_count_most) return Errno::nomem;
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
    RegionAttributes attributes{
        .protection = request.protection & kProtAll,
        .shared = shared,
        .may_write = request.may_write || !shared,
        .grows_down = (request.flags & kMapGrowsDown) != 0,
        .lock = request.flags & kMapLocked ? RegionLock::whole : RegionLock::none,
        // Spec: mmap(2): where promises are kept, nobody is exempt.
        .unreserved = (request.flags & kMapNoReserve) && commitment_rule.overcommit != 2,
        .pager = request.pager,
        .opener = shared ? request.opener : nullptr};
    if (attributes.grows_down && (shared || attributes.pager)) return Errno::inval;
    if (shared && !attributes.pager && !attributes.unreserved) TRY(check_commitment(pages));
    if (shared && !attributes.pager) attributes.pager = TRY(AnonymousPager::create(pages));

    Range range;
    {
        Session session(*this);
        range = TRY(place(request));
        attributes.lock = std::max(attributes.lock, lock_future_);
        TRY(check_growth(pages, attributes, overlap(range)));
        if (request.flags & kMapFixed) TRY(unmap_range(range));
        TRY(regions_.insert(range.start, range.end, attributes,
                            request.pager ? request.page_offset : 0));
        trace_mapped(range.start, range.end, attributes);
    }
    // What can't be brought in now comes, or fails, when it is touched.
    if (attributes.lock == RegionLock::whole || request.flags & kMapPopulate)
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
    // Only a hole in a region makes one more of it.
    const Region* region = regions_.find_from(range.start);
    if (region && region->start < range.start && region->end > range.end) TRY(check_count(1));
    return unmap_range(range);
}

Result<void> AddressSpace::check_count(uint32_t more) const {
    return regions_.count() + more > region_count_most ? Result<void>(Errno::nomem)
                                                       : Result<void>();
}

// What mprotect is to change: with PROT_GROWSDOWN, from the start of the stack on.
Result<AddressSpace::Range> AddressSpace::protected_range(VirtAddr start, uint32_t length,
                                                          uint32_t grows) const {
    Range range;
    if (!make_range(start, length, range)) return Errno::nomem;
    if (grows && range.bytes()) {
        const Region* first = regions_.find_from(start);
        if (!first || first->start >= range.end) return Errno::nomem;
        if (grows != kProtGrowsDown || !first->attributes.grows_down) return Errno::inval;
        range.start = first->start;
    }
    if (!regions_.is_covered(range.start, range.end)) return Errno::nomem;
    return range;
}

Result<void> AddressSpace::protect(VirtAddr start, uint32_t length, uint32_t protection) {
    const uint32_t grows = protection & (kProtGrowsDown | kProtGrowsUp);
    protection &= ~(grows | kProtSemaphore);
    if (!is_page_aligned(start) || protection & ~kProtAll ||
        grows == (kProtGrowsDown | kProtGrowsUp))
        return Errno::inval;
    Session session(*this);
    const Range range = TRY(protected_range(start, length, grows));
    if (protection & kProtWrite)
        for (const Region* r = regions_.find_from(range.start); r && r->start < range.end;
             r = regions_.next(*r))
            if (!r->attributes.may_write) return Errno::acces;
    if (range.bytes() == 0) return {};
    TRY(check_count(regions_.cuts(range.start, range.end)));
    if (protection & kProtWrite) {
        uint32_t more = 0, promised = 0;
        for (const Region* r = regions_.find_from(range.start); r && r->start < range.end;
             r = regions_.next(*r)) {
            const RegionAttributes& a = r->attributes;
            if (a.shared || a.is_data()) continue;
            const uint32_t pages =
                (std::min(r->end, range.end) - std::max(r->start, range.start)) >> kPageShift;
            if (!a.grows_down) more += pages;
            if (!a.unreserved) promised += pages;
        }
        if (more && regions_.data() + more > limit_data >> kPageShift) return Errno::nomem;
        TRY(check_commitment(promised));
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
    Range grown{end, end};
    const VirtAddr result = set_break_session(end, grown);
    if (grown.bytes()) static_cast<void>(populate(grown, false));
    return result;
}

// `grown`: what has to be brought in, if anything.
VirtAddr AddressSpace::set_break_session(VirtAddr end, Range& grown) {
    Session session(*this);
    if (end < break_start_ || end > kUserTop || end - break_start_ > limit_data) return break_;
    const VirtAddr old_end(align_up(break_.raw(), kPageSize));
    const VirtAddr new_end(align_up(end.raw(), kPageSize));
    if (new_end < old_end && unmap_range({new_end, old_end}).is_error()) return break_;
    if (new_end > old_end) {
        const RegionAttributes heap{
            .protection = kProtRead | kProtWrite, .lock = lock_future_, .label = RegionLabel::heap};
        if (!regions_.is_free(old_end, new_end) ||
            check_growth((new_end - old_end) >> kPageShift, heap).is_error() ||
            regions_.insert(old_end, new_end, heap, 0).is_error())
            return break_;
        trace_mapped(old_end, new_end, heap);
        if (lock_future_ == RegionLock::whole) grown = {old_end, new_end};
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
