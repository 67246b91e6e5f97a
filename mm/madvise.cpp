// See madvise.hpp.
#include "mm/madvise.hpp"

#include <algorithm>

#include "mm/mapping.hpp"
#include "mm/mlock.hpp"

namespace {

enum Advice : uint32_t {
    kAdviseNormal = 0,
    kAdviseRandom = 1,
    kAdviseSequential = 2,
    kAdviseWillNeed = 3,
    kAdviseDontNeed = 4,
    kAdviseFree = 8,
    kAdviseRemove = 9,
    kAdviseDontFork = 10,
    kAdviseDoFork = 11,
    kAdviseWipeOnFork = 18,
    kAdviseKeepOnFork = 19,
    kAdviseCold = 20,
    kAdvisePageOut = 21,
    kAdvisePopulateRead = 22,
    kAdvisePopulateWrite = 23,
};

bool is_known(uint32_t advice) {
    return advice <= kAdviseDontNeed || (advice >= kAdviseFree && advice <= kAdvisePopulateWrite);
}

AccessPattern pattern_of(uint32_t advice) {
    if (advice == kAdviseNormal) return AccessPattern::normal;
    return advice == kAdviseRandom ? AccessPattern::random : AccessPattern::sequential;
}

Result<void> check_advice(const RegionAttributes& a, uint32_t advice) {
    switch (advice) {
        case kAdviseDontNeed:
        case kAdviseCold:
        case kAdvisePageOut: return a.locked() ? Errno::inval : Result<void>();
        case kAdviseFree: return a.locked() || a.pager ? Errno::inval : Result<void>();
        case kAdviseWipeOnFork: return a.shared || a.pager ? Errno::inval : Result<void>();
        case kAdviseRemove:
            if (a.locked() || !a.pager) return Errno::inval;
            return a.shared && a.may_write ? Result<void>() : Errno::acces;
        default: return {};
    }
}

// Pagers take pages away from all spaces, so that our lock must not be held.
Result<void> discard_shared(AddressSpace& space, PageRange range) {
    for (VirtAddr at = range.start; at < range.end;) {
        Ref<Pager> pager;
        uint32_t first = 0, count = 0;
        {
            LockedSpace locked(space);
            const Region* region = locked->regions.find_from(at);
            if (!region || region->start >= range.end) break;
            at = std::max(at, region->start);
            const VirtAddr end = std::min(region->end, range.end);
            TRY(check_advice(region->attributes, kAdviseRemove));
            pager = region->attributes.pager;
            first = region->pager_index(at);
            count = (end - at) >> kPageShift;
            at = end;
        }
        TRY(pager->discard(first, count));
    }
    return {};
}

Result<void> populate_advised(AddressSpace& space, PageRange range, bool write) {
    for (VirtAddr page = range.start; page < range.end; page = page + kPageSize) {
        preemption_point();
        {
            LockedSpace locked(space);
            const Region* region = locked->regions.find(page);
            if (!region) return Errno::nomem;
            const uint32_t protection = region->attributes.protection;
            if (!(protection & (write ? kProtWrite : kProtRead | kProtExecute)))
                return Errno::inval;
            const PageEntry* entry = locked->pages.find(page);
            if (entry && entry->present() && (!write || entry->writable())) continue;
        }
        const FaultResult result = space.handle_fault(page, write, false);
        if (result == FaultResult::out_of_memory) return Errno::nomem;
        if (result != FaultResult::resolved) return Errno::fault;
    }
    return {};
}

}  // namespace

Result<void> advise(AddressSpace& space, VirtAddr start, uint32_t length, uint32_t advice) {
    PageRange range;
    if (!is_page_aligned(start) || !is_known(advice) || length > align_up(length, kPageSize) ||
        start.raw() + length < start.raw())
        return Errno::inval;
    if (length == 0) return {};
    if (!make_range(start, length, range)) return Errno::nomem;
    if (advice == kAdvisePopulateRead || advice == kAdvisePopulateWrite)
        return populate_advised(space, range, advice == kAdvisePopulateWrite);
    // Spec: what is mapped in the range is treated, and then ENOMEM says that not all of it was.
    bool covered;
    {
        LockedSpace locked(space);
        covered = locked->regions.is_covered(range.start, range.end);
        for (const Region* r = locked->regions.find_from(range.start); r && r->start < range.end;
             r = locked->regions.next(*r)) {
            TRY(check_advice(r->attributes, advice));
            // What a pager holds comes back from there, the rest as zeros.
            if (advice == kAdviseDontNeed || advice == kAdviseFree)
                locked->pages.clear(std::max(r->start, range.start), std::min(r->end, range.end));
        }
        if (advice == kAdviseDontFork || advice == kAdviseWipeOnFork)
            TRY(locked->regions.set_on_fork(
                range.start, range.end,
                advice == kAdviseDontFork ? OnFork::nothing : OnFork::zeros));
        if (advice == kAdviseDoFork || advice == kAdviseKeepOnFork)
            TRY(locked->regions.set_on_fork(range.start, range.end, OnFork::same));
        if (advice <= kAdviseSequential)
            TRY(locked->regions.set_pattern(range.start, range.end, pattern_of(advice)));
    }
    if (advice == kAdviseWillNeed) static_cast<void>(populate(space, range, true));
    if (advice == kAdviseRemove) TRY(discard_shared(space, range));
    return covered ? Result<void>() : Errno::nomem;
}

Result<void> sync(AddressSpace& space, VirtAddr start, uint32_t length, uint32_t flags) {
    PageRange range;
    if (!is_page_aligned(start) || flags & ~(kSyncAsync | kSyncInvalidate | kSyncNow) ||
        (flags & kSyncAsync && flags & kSyncNow))
        return Errno::inval;
    if (!make_range(start, length, range)) return Errno::nomem;
    bool covered;
    {
        LockedSpace locked(space);
        covered = locked->regions.is_covered(range.start, range.end);
        if (flags & kSyncInvalidate && locked_pages(locked, range)) return Errno::busy;
    }
    if (!(flags & kSyncNow)) return covered ? Result<void>() : Errno::nomem;
    // Pagers learnt of written pages at the first write (mark_dirty); they sleep, without our lock.
    for (VirtAddr at = range.start; at < range.end;) {
        Ref<OpenObject> opener;
        {
            LockedSpace locked(space);
            const Region* region = locked->regions.find_from(at);
            if (!region || region->start >= range.end) break;
            at = region->end;
            opener = region->attributes.opener;
        }
        if (opener) TRY(opener->sync(true));
    }
    return covered ? Result<void>() : Errno::nomem;
}
