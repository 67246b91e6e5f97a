// See frame_allocation.hpp.
#include "mm/frame_allocation.hpp"

#include <algorithm>
#include <utility>

#include "kernel/sched/clock.hpp"
#include "mm/all_spaces.hpp"
#include "mm/eviction.hpp"
#include "mm/frames.hpp"
#include "mm/tracked_frames.hpp"

namespace {

constinit ChosenPolicy<FrameAllocations, DefaultFrameAllocation> allocation{};
constinit uint32_t slots_of = UINT32_MAX;  // the reclaim thread's: the policy that the slots are of
constexpr std::string_view kScopes[] = {"global", "local"};

constexpr uint32_t kLeast = 32;   // what any program needs to get on at all
constexpr uint32_t kMargin = 16;  // evicted beyond the limit: a cluster at a time

// A parent that only waits for its children takes no share from them: it keeps what it has.
constexpr uint64_t kIdle = 1'000'000'000;  // nanoseconds without computing
bool is_idle(const PagingState& state) { return monotonic_now().raw() - state.ran_at > kIdle; }

AllFrames measure() {
    AllFrames sizes;
    const uint32_t free = memory_totals().free, target = reclaim_target();
    sizes.frames = free > target ? free - target : 0;
    for (Ref<AddressSpace> space = AllSpaces::next(nullptr); space;
         space = AllSpaces::next(space.get())) {
        if (!space->own_resident() && !space->own_swapped()) continue;
        if (is_idle(space->paging()) && !space->paging().suspended_since) continue;
        sizes.frames += space->own_resident();
        if (space->paging().suspended_since) continue;
        ++sizes.programs;
        sizes.pages += space->own_resident() + space->own_swapped();
    }
    return sizes;
}

uint32_t share_of(AddressSpace& space, const AllFrames& all) {
    PagingState& state = space.paging();
    if (state.suspended_since) return 0;
    if (is_idle(state)) return space.own_resident();
    ProgramFrames program{.pages = uint64_t{space.own_resident()} + space.own_swapped(),
                          .working_set = state.working_set,
                          .faults = state.rate,
                          .slot = state.allocation};
    return allocation->share(program, all);
}

}  // namespace

constinit const PolicyChoice kScopeChoice = {
    "vm.replacement_scope", kScopes, [] { return static_cast<uint32_t>(local_scope.relaxed()); },
    [](uint32_t which) { choose_scope(which != 0); }};

constinit const PolicyChoice kFrameAllocationChoice =
    decltype(allocation)::choice<allocation>("vm.frame_allocation", "vm.");

// The reclaim thread's rounds keep to it from here on, and say again what it means.
void set_limit_resident(AddressSpace& space, uint32_t bytes) {
    space.limits.resident = bytes;
    if (bytes == UINT32_MAX) return;
    const uint32_t most = std::max(bytes >> kPageShift, kLeast);
    PagingState& state = space.paging();
    state.frames_most.store_relaxed(std::min(state.frames_most.relaxed(), most));
}

bool allocate_frames_to_spaces() {
    const bool local = local_scope;
    const AllFrames all = local ? measure() : AllFrames();
    const uint32_t policy = allocation.index();
    const bool changed = std::exchange(slots_of, policy) != policy;
    bool excess = false;
    for (Ref<AddressSpace> space = AllSpaces::next(nullptr); space;
         space = AllSpaces::next(space.get())) {
        uint32_t most = space->limits.resident == UINT32_MAX ? UINT32_MAX
                                                             : space->limits.resident >> kPageShift;
        if (changed) space->paging().allocation = {};
        if (local) most = std::min(most, share_of(*space, all));
        if (most != UINT32_MAX) most = std::max(most, kLeast);
        space->paging().frames_most.store_relaxed(most);
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
