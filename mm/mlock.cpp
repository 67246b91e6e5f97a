// See mlock.hpp.
#include "mm/mlock.hpp"

#include <algorithm>

#include "mm/frames.hpp"
#include "mm/tracked_frames.hpp"

uint32_t locked_pages(const LockedSpace& locked, PageRange within) {
    uint32_t pages = 0;
    for (const Region* r = locked->regions.find_from(within.start); r && r->start < within.end;
         r = locked->regions.next(*r))
        if (r->attributes.locked())
            pages +=
                (std::min(r->end, within.end) - std::max(r->start, within.start)) >> kPageShift;
    return pages;
}

Result<void> check_locked(const LockedSpace& locked, uint32_t more, uint32_t limit) {
    if (limit == UINT32_MAX) return {};
    const uint32_t all = locked_pages(locked, kWholeSpace) + more;
    return all > limit >> kPageShift ? Result<void>(Errno::nomem) : Result<void>();
}

namespace {
Result<void> lock_session(AddressSpace& space, PageRange range, RegionLock lock, uint32_t limit) {
    LockedSpace locked(space);
    if (!locked->regions.is_covered(range.start, range.end)) return Errno::nomem;
    TRY(check_locked(locked, range.pages() - locked_pages(locked, range), limit));
    return locked->regions.set_lock(range.start, range.end, lock);
}
}  // namespace

Result<void> lock_range(AddressSpace& space, VirtAddr start, uint32_t length, bool on_fault,
                        uint32_t limit) {
    const uint32_t inside = start.raw() & kPageMask;
    if (start.raw() + length < length) return Errno::inval;
    PageRange range;
    if (!make_range(start - inside, length + inside, range)) return Errno::nomem;
    if (range.bytes() == 0) return {};
    TRY(lock_session(space, range, on_fault ? RegionLock::on_fault : RegionLock::whole, limit));
    return on_fault ? Result<void>() : populate(space, range, false);
}

Result<void> unlock_range(AddressSpace& space, VirtAddr start, uint32_t length) {
    const uint32_t inside = start.raw() & kPageMask;
    if (start.raw() + length < length) return Errno::inval;
    PageRange range;
    if (!make_range(start - inside, length + inside, range)) return Errno::nomem;
    LockedSpace locked(space);
    if (!locked->regions.is_covered(range.start, range.end)) return Errno::nomem;
    some_unlocked.store_relaxed(true);
    return range.bytes() ? locked->regions.set_lock(range.start, range.end, RegionLock::none)
                         : Result<void>();
}

Result<void> lock_all(AddressSpace& space, uint32_t flags, uint32_t limit) {
    const RegionLock lock = flags & kLockOnFault ? RegionLock::on_fault : RegionLock::whole;
    {
        LockedSpace locked(space);
        if (flags & kLockCurrent && limit != UINT32_MAX &&
            locked->regions.pages() > limit >> kPageShift)
            return Errno::nomem;
        if (flags & kLockCurrent) TRY(locked->regions.set_lock(VirtAddr(0), kUserTop, lock));
        locked->lock_future = flags & kLockFuture ? lock : RegionLock::none;
        space.limits.locked = limit;
    }
    // Spec: pages that can't be brought in are no error here.
    if (flags & kLockCurrent && !(flags & kLockOnFault))
        static_cast<void>(populate(space, kWholeSpace, false));
    return {};
}

void unlock_all(AddressSpace& space) {
    LockedSpace locked(space);
    locked->lock_future = RegionLock::none;
    some_unlocked.store_relaxed(true);
    static_cast<void>(locked->regions.set_lock(VirtAddr(0), kUserTop, RegionLock::none));
}

Result<void> populate(AddressSpace& space, PageRange range, bool absent_only) {
    bool all = true;
    for (VirtAddr page = range.start; page < range.end;) {
        preemption_point();
        bool wanted = false, write = false;
        {
            LockedSpace locked(space);
            const Region* region = locked->regions.find_from(page);
            if (!region || region->start >= range.end) break;
            page = std::max(page, region->start);
            const RegionAttributes& a = region->attributes;
            if (!a.protection) {  // no access is allowed
                all = absent_only;
                page = region->end;
                continue;
            }
            const PageEntry* entry = locked->pages.find(page);
            const bool there = entry && entry->holds_frame();
            write = !absent_only && !a.shared && a.protection & kProtWrite;
            wanted = !there || (write && !entry->writable());
            if (absent_only && !there) wanted = a.pager || (entry && entry->swapped());
            if (absent_only && memory_totals().free <= reclaim_target()) break;
        }
        if (wanted) {
            const FaultResult result = space.handle_fault(page, write, false);
            if (result == FaultResult::out_of_memory) return Errno::again;
            all &= result == FaultResult::resolved;
        }
        page = page + kPageSize;
    }
    return all ? Result<void>() : Errno::nomem;
}
