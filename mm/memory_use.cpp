// See memory_use.hpp.
#include "mm/memory_use.hpp"

#include <algorithm>

#include "kernel/arch/page_table.hpp"
#include "mm/frames.hpp"
#include "mm/mlock.hpp"

namespace {
RegionUse use_of(LockedSpace& space, const Region& region) {
    RegionUse use;
    space->pages.for_each(region.start, region.end, [&](VirtAddr, PageEntry& entry) {
        if (entry.swapped()) ++use.swapped;
        if (!entry.holds_frame()) return;
        // The page cache's own reference is no mapping.
        const uint32_t cached = entry.has(kEntryFile) ? 1 : 0;
        const uint32_t mappings = std::max(frame_references(entry.frame()), cached + 1) - cached;
        // What no file holds was made in memory.
        const bool dirty = entry.has(kEntryDirty) || !entry.has(kEntryFile);
        ++use.resident;
        ++(mappings > 1 ? (dirty ? use.shared_dirty : use.shared_clean)
                        : (dirty ? use.private_dirty : use.private_clean));
        use.referenced += entry.has(kEntryAccessed);
        use.anonymous += !entry.has(kEntryFile);
        use.share_bytes += kPageSize / mappings;
        if (dirty) use.dirty_share_bytes += kPageSize / mappings;
    });
    return use;
}
}  // namespace

void visit_regions(AddressSpace& of, RegionVisitor& visitor) {
    LockedSpace space(of);
    constexpr const char* kLabels[] = {"", "[heap]", "[stack]"};
    for (Region* r = space->regions.find_from(VirtAddr(0)); r; r = space->regions.next(*r)) {
        preemption_point();
        const RegionAttributes& a = r->attributes;
        const uint32_t flags = (a.shared ? kMapShared : kMapPrivate) |
                               (a.pager ? 0 : kMapAnonymous) | (a.grows_down ? kMapGrowsDown : 0) |
                               (a.unreserved ? kMapNoReserve : 0);
        visitor.visit({r->start, r->end, a.protection, flags, a.pager.get(), r->page_offset,
                       kLabels[static_cast<uint32_t>(a.label)], a.locked(), a.may_write, a.on_fork,
                       visitor.wants_use() ? use_of(space, *r) : RegionUse()});
    }
}

namespace {
// The program's own text lies lowest.
void count_text(MemoryUse& use, const Region& region) {
    const uint32_t pages = region.bytes() >> kPageShift;
    if (use.text) {
        use.libraries += pages;
        return;
    }
    use.text = pages;
    use.text_start = region.start;
    use.text_end = region.end;
}
}  // namespace

PagingUse paging_use(AddressSpace& of) {
    const PagingState& state = of.paging();
    PagingUse use{};
    for (uint32_t i = 0; i < std::size(use.faults); ++i)
        use.faults[i] = state.by_source[i].relaxed();
    use.frames = of.own_resident();
    use.swapped = of.own_swapped();
    use.most = state.frames_most.relaxed();
    use.working_set = state.working_set;
    use.suspensions = state.suspensions;
    return use;
}

MemoryUse memory_use(AddressSpace& of) {
    LockedSpace space(of);
    MemoryUse use{};
    use.total = space->regions.pages();
    use.resident = space->pages.resident();
    use.swapped = space->pages.swapped();
    use.working_set = of.paging().working_set;
    use.of_files = space->pages.file_resident();
    use.tables = space->pages.tables();
    use.peak_total = std::max(space->peak_total, use.total);
    use.peak_resident = space->pages.peak();
    for (Region* r = space->regions.find_from(VirtAddr(0)); r; r = space->regions.next(*r)) {
        preemption_point();
        const RegionAttributes& a = r->attributes;
        const uint32_t pages = r->bytes() >> kPageShift;
        if (a.locked()) use.locked += pages;
        if (a.label == RegionLabel::stack)
            use.stack += pages;
        else if (!a.shared && a.protection & kProtWrite)
            use.data += pages;
        else if (a.protection & kProtExecute)
            count_text(use, *r);
        // What only memory holds is not of files.
        if (a.pager && !a.pager->has_file())
            space->pages.for_each(r->start, r->end, [&](VirtAddr, const PageEntry& entry) {
                use.shared += entry.has(kEntryFile);
            });
    }
    use.of_files -= use.shared;
    return use;
}

TableUse table_use(AddressSpace& of) {
    LockedSpace space(of);
    return {space->pages.tables(), locked_pages(space, kWholeSpace)};
}

PageWalk walk_tables(AddressSpace& of, VirtAddr address) {
    LockedSpace space(of);
    const auto table_at = [](Frame frame) -> const PageTable& {
        return *static_cast<const PageTable*>(to_virtual(frame));
    };
    return walk_pages(table_at(frame_of(space->pages.directory())), address, table_at);
}
