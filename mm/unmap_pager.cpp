// Taking an object's pages away from all who map it. See pager.hpp and all_spaces.hpp.
#include <algorithm>

#include "kernel/sync/spin_lock.hpp"
#include "mm/all_spaces.hpp"
#include "mm/locked_space.hpp"

namespace {
constinit SpinLock unmap_lock{LockRank::address_spaces};
constinit List<AddressSpace, &AddressSpace::all_node> spaces GUARDED_BY(unmap_lock) = {};
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

namespace {

void forget_pages_of(AddressSpace& space, const Pager& pager, uint32_t first) {
    LockedSpace locked(space);
    RegionMap& regions = locked->regions;
    for (Region* r = regions.find_from(VirtAddr(0)); r; r = regions.next(*r)) {
        const uint32_t pages = r->bytes() >> kPageShift;
        if (r->attributes.pager.get() != &pager || r->page_offset + pages <= first) continue;
        const uint32_t keep = first > r->page_offset ? first - r->page_offset : 0;
        locked->pages.clear(r->start + (keep << kPageShift), r->end);
    }
}

// visit(user pages, start, end) for each range, of all spaces, that is a shared view of these pages.
template <typename F>
void for_each_shared(const Pager& pager, uint32_t first, uint32_t count, F&& visit) {
    for (Ref<AddressSpace> space = AllSpaces::next(nullptr); space;
         space = AllSpaces::next(space.get())) {
        LockedSpace locked(*space);
        RegionMap& regions = locked->regions;
        for (Region* r = regions.find_from(VirtAddr(0)); r; r = regions.next(*r)) {
            const RegionAttributes& a = r->attributes;
            if (!a.shared || !a.pager || &a.pager->base() != &pager) continue;
            const uint32_t pages = r->bytes() >> kPageShift;
            const uint32_t from = std::max(first, r->page_offset);
            const uint32_t to = std::min(first + count, r->page_offset + pages);
            if (from >= to) continue;
            visit(locked->pages, r->start + ((from - r->page_offset) << kPageShift),
                  r->start + ((to - r->page_offset) << kPageShift));
        }
    }
}

}  // namespace

void unmap_pages_of(const Pager& pager, uint32_t first) {
    for (Ref<AddressSpace> space = AllSpaces::next(nullptr); space;
         space = AllSpaces::next(space.get()))
        forget_pages_of(*space, pager, first);
}

void unmap_shared_pages_of(const Pager& pager, uint32_t first, uint32_t count) {
    for_each_shared(pager, first, count, [](UserPages& pages, VirtAddr start, VirtAddr end) {
        pages.clear(start, end);
    });
}

void protect_pages_of(const Pager& pager, uint32_t first, uint32_t count) {
    for_each_shared(pager, first, count, [](UserPages& pages, VirtAddr start, VirtAddr end) {
        pages.restrict(start, end, UserPages::Rights::read);
    });
}
