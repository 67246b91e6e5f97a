// Pages that stay in memory, that are brought in ahead of use, and which there are. See
// address_space.hpp. Spec: mlock(2), mlockall(2), mincore(2), madvise(2).
#include <algorithm>

#include "mm/address_space.hpp"
#include "mm/frames.hpp"
#include "mm/session.hpp"

uint32_t AddressSpace::locked_pages(Range within) const {
    uint32_t pages = 0;
    for (const Region* r = regions_.find_from(within.start); r && r->start < within.end;
         r = regions_.next(*r))
        if (r->attributes.locked())
            pages +=
                (std::min(r->end, within.end) - std::max(r->start, within.start)) >> kPageShift;
    return pages;
}

TableUse AddressSpace::table_use() {
    Session session(*this);
    return {pages_.tables(), locked_pages({VirtAddr(0), kUserTop})};
}

Result<void> AddressSpace::check_locked(uint32_t more, uint32_t limit) const {
    if (limit == UINT32_MAX) return {};
    const uint32_t all = locked_pages({VirtAddr(0), kUserTop}) + more;
    return all > limit >> kPageShift ? Result<void>(Errno::nomem) : Result<void>();
}

Result<void> AddressSpace::lock_session(Range range, RegionLock lock, uint32_t limit) {
    Session session(*this);
    if (!regions_.is_covered(range.start, range.end)) return Errno::nomem;
    TRY(check_locked(range.pages() - locked_pages(range), limit));
    return regions_.set_lock(range.start, range.end, lock);
}

Result<void> AddressSpace::lock_range(VirtAddr start, uint32_t length, bool on_fault,
                                      uint32_t limit) {
    const uint32_t inside = start.raw() & kPageMask;
    if (start.raw() + length < length) return Errno::inval;
    Range range;
    if (!make_range(start - inside, length + inside, range)) return Errno::nomem;
    if (range.bytes() == 0) return {};
    TRY(lock_session(range, on_fault ? RegionLock::on_fault : RegionLock::whole, limit));
    return on_fault ? Result<void>() : populate(range, false);
}

Result<void> AddressSpace::unlock_range(VirtAddr start, uint32_t length) {
    const uint32_t inside = start.raw() & kPageMask;
    if (start.raw() + length < length) return Errno::inval;
    Range range;
    if (!make_range(start - inside, length + inside, range)) return Errno::nomem;
    Session session(*this);
    if (!regions_.is_covered(range.start, range.end)) return Errno::nomem;
    return range.bytes() ? regions_.set_lock(range.start, range.end, RegionLock::none)
                         : Result<void>();
}

Result<void> AddressSpace::lock_all(uint32_t flags, uint32_t limit) {
    const Range everything{VirtAddr(0), kUserTop};
    const RegionLock lock = flags & kLockOnFault ? RegionLock::on_fault : RegionLock::whole;
    {
        Session session(*this);
        if (flags & kLockCurrent && limit != UINT32_MAX && regions_.pages() > limit >> kPageShift)
            return Errno::nomem;
        if (flags & kLockCurrent) TRY(regions_.set_lock(everything.start, everything.end, lock));
        lock_future_ = flags & kLockFuture ? lock : RegionLock::none;
        limit_locked = limit;
    }
    // Spec: pages that can't be brought in are no error here.
    if (flags & kLockCurrent && !(flags & kLockOnFault))
        static_cast<void>(populate(everything, false));
    return {};
}

void AddressSpace::unlock_all() {
    Session session(*this);
    lock_future_ = RegionLock::none;
    static_cast<void>(regions_.set_lock(VirtAddr(0), kUserTop, RegionLock::none));
}

Result<void> AddressSpace::populate(Range range, bool absent_only) {
    bool all = true;
    for (VirtAddr page = range.start; page < range.end;) {
        bool wanted = false, write = false;
        {
            Session session(*this);
            const Region* region = regions_.find_from(page);
            if (!region || region->start >= range.end) break;
            page = std::max(page, region->start);
            const RegionAttributes& a = region->attributes;
            if (!a.protection) {  // nobody may touch it
                all = absent_only;
                page = region->end;
                continue;
            }
            const PageEntry* entry = pages_.find(page);
            const bool there = entry && entry->holds_frame();
            write = !absent_only && !a.shared && a.protection & kProtWrite;
            wanted = !there || (write && !entry->writable());
            if (absent_only && !there) wanted = a.pager || (entry && entry->swapped());
            if (absent_only && memory_totals().free <= reclaim_target()) break;
        }
        if (wanted) {
            const FaultResult result = handle_fault(page, write, false, false);
            if (result == FaultResult::out_of_memory) return Errno::again;
            all &= result == FaultResult::resolved;
        }
        page = page + kPageSize;
    }
    return all ? Result<void>() : Errno::nomem;
}

Result<void> AddressSpace::residency(VirtAddr start, std::span<uint8_t> to) {
    Session session(*this);
    const VirtAddr end = start + static_cast<uint32_t>(to.size()) * kPageSize;
    if (!regions_.is_covered(start, end)) return Errno::nomem;
    for (VirtAddr page = start; page < end; page = page + kPageSize) {
        const PageEntry* entry = pages_.find(page);
        bool there = entry && entry->holds_frame();
        const Region& region = *regions_.find(page);
        if (!there && region.attributes.pager) {
            Frame frame(0);
            region.attributes.pager->cached_frames(region.pager_index(page), 1, {&frame, 1});
            there = frame.raw();
            if (there) put_frame(frame);
        }
        to[(page - start) >> kPageShift] = there;
    }
    return {};
}
