// See frame_allocation.hpp.
#include "mm/frame_allocation.hpp"

#include <algorithm>

#include "kernel/lib/format.hpp"
#include "mm/all_spaces.hpp"
#include "mm/eviction.hpp"
#include "mm/frames.hpp"
#include "mm/tracked_frames.hpp"

namespace {

enum class Allocation : uint32_t { equal, proportional, variable };
constexpr std::string_view kScopes[] = {"global", "local"};
constexpr std::string_view kAllocations[] = {"equal", "proportional", "variable"};
constinit Allocation allocation = Allocation::proportional;  // atomic

constexpr uint32_t kLeast = 32;       // what any program needs to get on at all
constexpr uint32_t kMargin = 16;      // evicted beyond the limit: a cluster at a time
constexpr uint32_t kFastFaults = 20;  // in a window of load control

void show_choice(TextSink& to, std::span<const std::string_view> names, uint32_t chosen) {
    for (uint32_t i = 0; i < names.size(); ++i)
        format_to(to, i == chosen ? "{}[{}]" : "{}{}", i ? " " : "", names[i]);
    to.put("\n");
}

struct Sizes {
    uint32_t spaces = 0, frames = 0;  // frames: those that private pages have or could have
    uint64_t pages = 0;
};
Sizes measure() {
    Sizes sizes;
    const uint32_t free = memory_totals().free, target = reclaim_target();
    sizes.frames = free > target ? free - target : 0;
    for (Ref<AddressSpace> space = AllSpaces::next(nullptr); space;
         space = AllSpaces::next(space.get())) {
        if (!space->own_resident() && !space->own_swapped()) continue;
        sizes.frames += space->own_resident();
        if (space->paging().suspended_since) continue;
        ++sizes.spaces;
        sizes.pages += space->own_resident() + space->own_swapped();
    }
    return sizes;
}

uint32_t share_of(AddressSpace& space, const Sizes& all) {
    if (space.paging().suspended_since) return 0;
    if (allocation == Allocation::equal) return all.frames / std::max(all.spaces, 1u);
    if (allocation == Allocation::proportional) {
        const uint64_t own = space.own_resident() + space.own_swapped();
        return static_cast<uint32_t>(all.frames * own / std::max<uint64_t>(all.pages, 1));
    }
    PagingState& state = space.paging();
    const uint32_t set = state.working_set + state.working_set / 4;
    const uint32_t now = std::max(state.granted, set);
    state.granted = state.rate > kFastFaults ? std::min(now + now / 8 + kMargin, all.frames)
                                             : std::max(set, now - now / 16);
    return state.granted;
}

}  // namespace

bool choose_replacement_scope(std::string_view name) {
    const auto* found = std::ranges::find(kScopes, name);
    if (found == std::end(kScopes)) return false;
    choose_scope(found != kScopes);
    return true;
}
void show_replacement_scope(TextSink& to) { show_choice(to, kScopes, local_scope); }

bool choose_allocation(std::string_view name) {
    const auto* found = std::ranges::find(kAllocations, name);
    if (found == std::end(kAllocations)) return false;
    allocation = static_cast<Allocation>(found - kAllocations);
    return true;
}
void show_allocation(TextSink& to) {
    show_choice(to, kAllocations, static_cast<uint32_t>(allocation));
}

// The reclaim thread's rounds keep to it from here on, and say again what it means.
void set_limit_resident(AddressSpace& space, uint32_t bytes) {
    space.limits.resident = bytes;
    if (bytes == UINT32_MAX) return;
    const uint32_t most = std::max(bytes >> kPageShift, kLeast);
    PagingState& state = space.paging();
    __atomic_store_n(&state.frames_most, std::min(state.frames_most, most), __ATOMIC_RELAXED);
}

bool allocate_frames_to_spaces() {
    const Sizes all = local_scope ? measure() : Sizes();
    bool excess = false;
    for (Ref<AddressSpace> space = AllSpaces::next(nullptr); space;
         space = AllSpaces::next(space.get())) {
        uint32_t most = space->limits.resident == UINT32_MAX ? UINT32_MAX
                                                             : space->limits.resident >> kPageShift;
        if (local_scope) most = std::min(most, share_of(*space, all));
        if (most != UINT32_MAX) most = std::max(most, kLeast);
        __atomic_store_n(&space->paging().frames_most, most, __ATOMIC_RELAXED);
        excess |= space->own_resident() > most;
    }
    return excess;
}

uint32_t evict_excess() {
    uint32_t freed = 0;
    for (Ref<AddressSpace> space = AllSpaces::next(nullptr); space;
         space = AllSpaces::next(space.get())) {
        const uint32_t have = space->own_resident(), most = space->paging().frames_most;
        if (have <= most) continue;
        const uint32_t wanted = have - most + std::min(kMargin, most / 2);
        freed += local_scope ? evict_from(space->pool(), wanted) : evict_pages_of(*space, wanted);
    }
    return freed;
}
