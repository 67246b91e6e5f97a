// Fault: one page fault on its way. What it has to wait for (a page of a file or of swap) it names
// while the address space is locked, waits for without the lock, and holds until it is done: reclaim
// runs meanwhile, and could evict nothing of a locked space.
#pragma once

#include "mm/locked_space.hpp"
#include "mm/memory_trace.hpp"
#include "mm/reclaim.hpp"

struct Fault {
    VirtAddr page;  // the start of the page that was touched
    bool write = false, user = false;

    // What came of it.
    FaultSource source{};
    Frame got{};
    FaultResult resolved(FaultSource from, Frame frame) {
        source = from;
        got = frame;
        return FaultResult::resolved;
    }

    // What must be read: a slot of swap, or else a pager's page. Both return must_read.
    FaultResult must_read_slot(PageEntry slot);
    FaultResult must_read_page(const Region& region);
    // Waits for that, or for free memory. True: it is worth trying again; else `result` says why not.
    bool wait(FaultResult& result);

    Fault(VirtAddr address, bool writes, bool by_user)
        : page(address.raw() & ~kPageMask), write(writes), user(by_user) {}
    Fault(const Fault&) = delete;
    Fault& operator=(const Fault&) = delete;
    ~Fault();

  private:
    FaultResult read();
    uint32_t swapped_ = 0;  // a slot's name (swap.hpp)
    Ref<Pager> pager_{};
    uint32_t index_ = 0;
    AccessPattern pattern_ = AccessPattern::normal;
    Frame frame_{};
};

// Brings the page in with the rights that the fault asks for. The space is locked.
FaultResult resolve(LockedSpace& space, Fault& fault);
// The page is there, read-only, and is to be written.
FaultResult allow_write(LockedSpace& space, Fault& fault, const Region& region, PageEntry* slot);
// Its contents are in a slot of swap (swap_in.cpp).
FaultResult swap_in(LockedSpace& space, Fault& fault, const Region& region, PageEntry* slot);
// The pager's frame for the page, with a reference, if it is in memory; neighbours that are come
// into the address space along with it (fault_around.cpp).
Frame map_around(LockedSpace& space, const Region& region, VirtAddr page, PageEntry* slot);
// Before a fault: a space with more than its share of frames waits for a round of reclaim.
inline void keep_to_allocation(AddressSpace& space) {
    if (space.own_resident() > space.paging().frames_most) [[unlikely]]
        wait_for_eviction();
}
