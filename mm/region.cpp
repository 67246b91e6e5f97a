// See region.hpp.
#include "mm/region.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include "kernel/lib/preemption.hpp"

VirtAddr Region::gap_end() const {
    if (!attributes.grows_down) return start;
    return start - gap_start < kStackGuardGap ? gap_start : start - kStackGuardGap;
}

bool RegionMap::refresh_gap(Region& region, Region* below, Region* above) {
    const uint32_t largest =
        std::max({region.gap(), below ? below->largest_gap : 0, above ? above->largest_gap : 0});
    return std::exchange(region.largest_gap, largest) != largest;
}

RegionMap::~RegionMap() {
    tree_.take_all([](Region& region) {
        delete &region;
        preemption_point();
    });
    destroy(take_removed());
}

Region* RegionMap::take_removed() { return std::exchange(removed_, nullptr); }

void RegionMap::destroy(Region* removed) {
    for (; removed; preemption_point()) delete std::exchange(removed, removed->next_removed);
}

Result<void> RegionMap::copy_from(const RegionMap& other) {
    for (Region* from = other.tree_.first(); from; from = other.next(*from)) {
        if (from->attributes.on_fork == OnFork::nothing) continue;
        auto* copy =
            new (std::nothrow) Region{from->start, from->end, from->attributes, from->page_offset};
        if (!copy) return Errno::nomem;
        copy->attributes.lock = RegionLock::none;
        link(*copy);
        preemption_point();
    }
    return {};
}

Region* RegionMap::find(VirtAddr address) {
    if (recent_ && recent_->contains(address)) return recent_;
    Region* region = tree_.find_not_above(address);
    if (!region || !region->contains(address)) return nullptr;
    return recent_ = region;
}

Region* RegionMap::find_from(VirtAddr address) const {
    Region* region = tree_.find_not_above(address);
    if (region && region->end > address) return region;
    return region ? next(*region) : tree_.first();
}

bool RegionMap::is_free(VirtAddr start, VirtAddr end) const {
    const Region* region = find_from(start);
    return !region || (region->start >= end && region->gap_end() >= end);
}

uint32_t RegionMap::cuts(VirtAddr start, VirtAddr end) const {
    auto is_inside = [this](VirtAddr at) {
        const Region* region = find_from(at);
        return region && region->start < at;
    };
    return (is_inside(start) ? 1 : 0) + (is_inside(end) ? 1 : 0);
}

VirtAddr RegionMap::covered_until(VirtAddr start, VirtAddr end) const {
    const Region* region = find_from(start);
    for (; region && region->start <= start && start < end; region = next(*region))
        start = region->end;
    return std::min(start, end);
}

namespace {

// The highest gap in this subtree that has the room, clipped to [floor, limit).
template <typename Tree>
std::optional<VirtAddr> highest_gap(const Region* region, uint32_t bytes, VirtAddr floor,
                                    VirtAddr limit) {
    if (!region || region->largest_gap < bytes) return std::nullopt;
    if (region->end < limit)
        if (auto found = highest_gap<Tree>(Tree::larger_child(*region), bytes, floor, limit))
            return found;
    const VirtAddr low = std::max(region->gap_start, floor);
    const VirtAddr high = std::min(region->gap_end(), limit);
    if (high > low && high - low >= bytes) return high - bytes;
    if (region->start <= floor) return std::nullopt;
    return highest_gap<Tree>(Tree::smaller_child(*region), bytes, floor, limit);
}

}  // namespace

std::optional<VirtAddr> RegionMap::find_gap(uint32_t bytes, VirtAddr floor, VirtAddr limit) const {
    const Region* last = tree_.last();
    const VirtAddr low = last ? std::max(last->end, floor) : floor;
    if (limit > low && limit - low >= bytes) return limit - bytes;
    return highest_gap<Tree>(tree_.root(), bytes, floor, limit);
}

void RegionMap::gap_changed(Region* region, VirtAddr gap_start) {
    if (!region) return;
    region->gap_start = gap_start;
    tree_.refresh(*region);
}

void RegionMap::link(Region& region) {
    const Region* below = tree_.find_not_above(region.start);
    region.gap_start = below ? below->end : VirtAddr(0);
    tree_.insert(region);
    gap_changed(next(region), region.end);
    count(region, true);
}

void RegionMap::count(const Region& region, bool added) {
    const uint32_t pages = region.bytes() >> kPageShift, change = added ? pages : 0u - pages;
    pages_ += change;
    if (region.attributes.commits()) committed_ += change;
    if (region.attributes.is_data() && !region.attributes.grows_down) data_ += change;
}

void RegionMap::discard(Region& region) {
    if (recent_ == &region) recent_ = nullptr;
    Region* above = next(region);
    tree_.remove(region);
    gap_changed(above, region.gap_start);
    count(region, false);
    region.next_removed = removed_;
    removed_ = &region;
}

bool RegionMap::can_follow(const Region& low, const Region& high) const {
    return low.end == high.start && low.attributes == high.attributes &&
           (!low.attributes.pager || low.pager_index(low.end) == high.page_offset);
}

bool RegionMap::merge_with_next(Region& region) {
    Region* above = next(region);
    if (!above || !can_follow(region, *above)) return false;
    const VirtAddr end = above->end;
    discard(*above);
    set_end(region, end);
    return true;
}

Result<void> RegionMap::insert(VirtAddr start, VirtAddr end, const RegionAttributes& attributes,
                               uint32_t page_offset) {
    VERIFY(start < end);
    const Region wanted{start, end, attributes, page_offset};
    Region* below = tree_.find_not_above(start);
    Region* above = below ? next(*below) : tree_.first();
    if (below && can_follow(*below, wanted)) {
        set_end(*below, end);
        merge_with_next(*below);
        return {};
    }
    if (above && can_follow(wanted, *above)) {
        set_start(*above, start);
        return {};
    }
    auto* region = new (std::nothrow) Region(wanted);
    if (!region) return Errno::nomem;
    link(*region);
    return {};
}

// Afterwards no region has `at` inside.
Result<void> RegionMap::split(VirtAddr at) {
    Region* region = find(at);
    if (!region || region->start == at) return {};
    auto* upper = new (std::nothrow) Region{at, region->end, region->attributes,
                                            region->attributes.pager ? region->pager_index(at) : 0};
    if (!upper) return Errno::nomem;
    set_end(*region, at);
    link(*upper);
    return {};
}

Result<void> RegionMap::remove(VirtAddr start, VirtAddr end) {
    Region* region = find_from(start);
    if (region && region->start < start) {
        if (region->end > end) TRY(split(end));
        set_end(*region, start);
        region = next(*region);
    }
    while (region && region->end <= end) {
        Region* above = next(*region);
        discard(*region);
        region = above;
        preemption_point();
    }
    if (region && region->start < end) set_start(*region, end);
    return {};
}

template <typename F>
Result<void> RegionMap::change(VirtAddr start, VirtAddr end, F&& apply) {
    Result<void> done = split(start);
    if (done.is_ok()) done = split(end);
    Region* region = find_from(start);
    if (Region* below = region ? previous(*region) : nullptr) region = below;
    if (done.is_ok())
        for (Region* r = find_from(start); r && r->start < end; r = next(*r)) {
            count(*r, false);
            apply(r->attributes);
            count(*r, true);
            preemption_point();
        }
    while (region && region->start <= end)
        if (!merge_with_next(*region)) region = next(*region);
    return done;
}

Result<void> RegionMap::protect(VirtAddr start, VirtAddr end, uint32_t protection) {
    return change(start, end, [=](RegionAttributes& a) { a.protection = protection; });
}

Result<void> RegionMap::set_lock(VirtAddr start, VirtAddr end, RegionLock lock) {
    return change(start, end, [=](RegionAttributes& a) { a.lock = lock; });
}

Result<void> RegionMap::set_on_fork(VirtAddr start, VirtAddr end, OnFork on_fork) {
    return change(start, end, [=](RegionAttributes& a) { a.on_fork = on_fork; });
}

Result<void> RegionMap::set_pattern(VirtAddr start, VirtAddr end, AccessPattern pattern) {
    return change(start, end, [=](RegionAttributes& a) { a.pattern = pattern; });
}

void RegionMap::set_start(Region& region, VirtAddr start) {
    count(region, false);
    if (region.attributes.pager) region.page_offset = region.pager_index(start);
    region.start = start;
    count(region, true);
    tree_.refresh(region);
}

void RegionMap::set_end(Region& region, VirtAddr end) {
    count(region, false);
    region.end = end;
    count(region, true);
    gap_changed(next(region), end);
}
