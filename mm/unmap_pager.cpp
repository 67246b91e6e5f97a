// Taking an object's pages away from all who map it. See pager.hpp and all_spaces.hpp.
#include <algorithm>

#include "kernel/sync/spin_lock.hpp"
#include "mm/all_spaces.hpp"
#include "mm/session.hpp"

namespace {
constinit SpinLock unmap_lock{LockRank::address_spaces};
constinit List<AddressSpace, &AddressSpace::all_node> spaces = {};
}  // namespace

void AllSpaces::add(AddressSpace& space) {
    LockGuard guard(unmap_lock);
    spaces.push_back(space);
}

void AllSpaces::remove(AddressSpace& space) {
    LockGuard guard(unmap_lock);
    if (space.all_node.linked()) space.all_node.unlink();
}

Ref<AddressSpace> AllSpaces::next(AddressSpace* previous) {
    LockGuard guard(unmap_lock);
    AddressSpace* space = previous ? spaces.next(*previous) : spaces.front();
    // One whose last reference is gone is about to leave the list.
    while (space && !space->try_add_ref()) space = spaces.next(*space);
    return Ref<AddressSpace>::adopt(space);
}

void AddressSpace::forget_pages_of(const Pager& pager, uint32_t first) {
    Session session(*this);
    for (Region* r = regions_.find_from(VirtAddr(0)); r; r = regions_.next(*r)) {
        uint32_t pages = (r->end - r->start) >> kPageShift;
        if (r->attributes.pager.get() != &pager || r->page_offset + pages <= first) continue;
        uint32_t keep = first > r->page_offset ? first - r->page_offset : 0;
        pages_.clear(r->start + (keep << kPageShift), r->end);
    }
}

void unmap_pages_of(const Pager& pager, uint32_t first) {
    for (Ref<AddressSpace> space = AllSpaces::next(nullptr); space;
         space = AllSpaces::next(space.get()))
        space->forget_pages_of(pager, first);
}

// visit(start, end) for each range that is a shared view of these pages.
template <typename F>
void AddressSpace::for_each_shared(const Pager& pager, uint32_t first, uint32_t count, F&& visit) {
    Session session(*this);
    for (Region* r = regions_.find_from(VirtAddr(0)); r; r = regions_.next(*r)) {
        const RegionAttributes& a = r->attributes;
        if (!a.shared || !a.pager || &a.pager->base() != &pager) continue;
        const uint32_t pages = (r->end - r->start) >> kPageShift;
        const uint32_t from = std::max(first, r->page_offset);
        const uint32_t to = std::min(first + count, r->page_offset + pages);
        if (from >= to) continue;
        visit(r->start + ((from - r->page_offset) << kPageShift),
              r->start + ((to - r->page_offset) << kPageShift));
    }
}

void unmap_shared_pages_of(const Pager& pager, uint32_t first, uint32_t count) {
    for (Ref<AddressSpace> space = AllSpaces::next(nullptr); space;
         space = AllSpaces::next(space.get()))
        space->for_each_shared(pager, first, count, [&](VirtAddr start, VirtAddr end) {
            space->pages_.clear(start, end);
        });
}

void AddressSpace::protect_pages_of(const Pager& pager, uint32_t first, uint32_t count) {
    for_each_shared(pager, first, count, [&](VirtAddr start, VirtAddr end) {
        pages_.restrict(start, end, UserPages::Rights::read);
    });
}

void protect_pages_of(const Pager& pager, uint32_t first, uint32_t count) {
    for (Ref<AddressSpace> space = AllSpaces::next(nullptr); space;
         space = AllSpaces::next(space.get()))
        space->protect_pages_of(pager, first, count);
}
