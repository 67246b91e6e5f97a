// Advice about ranges of an address space, and which of its pages are in memory.
// Spec: madvise(2), mincore(2).
#include <algorithm>

#include "kernel/syscall/system_call.hpp"
#include "mm/mapping.hpp"
#include "mm/mlock.hpp"

namespace {

AddressSpace& space() { return *current_process().space; }

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
    // 12 to 15 are about merging pages and huge pages, which there are not.
    return advice <= kAdviseDontNeed || (advice >= kAdviseFree && advice <= kAdviseDoFork) ||
           (advice >= 16 && advice <= kAdvisePopulateWrite);
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

bool is_cached(const Region& region, VirtAddr page) {
    Frame frame(0);
    region.attributes.pager->cached_frames(region.pager_index(page), 1, {&frame, 1});
    if (frame.raw()) put_frame(frame);
    return frame.raw();
}

// For each page from `start` on: whether an access would find it in memory. ENOMEM.
Result<void> residency(AddressSpace& space, VirtAddr start, std::span<uint8_t> to) {
    LockedSpace locked(space);
    const VirtAddr end = start + static_cast<uint32_t>(to.size()) * kPageSize;
    if (!locked->regions.is_covered(start, end)) return Errno::nomem;
    uint8_t* answer = to.data();
    for (VirtAddr page = start; page < end;) {  // as far as one region and one page table go
        const Region& region = *locked->regions.find(page);
        const PageEntry* entry = locked->pages.find(page);
        const VirtAddr stop =
            std::min({end, region.end, VirtAddr((page.raw() | (kTableSpan - 1)) + 1)});
        for (; page < stop; page += kPageSize, entry += entry != nullptr) {
            bool there = entry && entry->holds_frame();
            if (!there && region.attributes.pager) there = is_cached(region, page);
            *answer++ = there;
        }
    }
    return {};
}

}  // namespace

Result<void> sys_madvise(uint32_t start, uint32_t length, uint32_t advice) {
    return advise(space(), VirtAddr(start), length, advice);
}

Result<void> sys_mincore(uint32_t start, uint32_t length, UserPtr<uint8_t> to) {
    if (start & kPageMask) return Errno::inval;
    if (VirtAddr(start) > kUserTop || length > kUserTop - VirtAddr(start)) return Errno::nomem;
    uint8_t batch[64];
    for (uint32_t done = 0, pages = pages_for(length); done < pages;) {
        const uint32_t count = std::min<uint32_t>(pages - done, sizeof batch);
        TRY(residency(space(), VirtAddr(start + done * kPageSize), {batch, count}));
        TRY(copy_to_user(VirtAddr((to + done).address()), batch, count));
        done += count;
        preemption_point();
    }
    return {};
}

constexpr SystemCall kMemoryAdviceCalls[] = {
    CALL(218, mincore, sys_mincore),
    CALL(219, madvise, sys_madvise),
};
SYSTEM_CALLS(kMemoryAdviceCalls);
