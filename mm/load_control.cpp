// See load_control.hpp.
#include "mm/load_control.hpp"

#include <algorithm>

#include "kernel/sched/clock.hpp"
#include "mm/all_spaces.hpp"
#include "mm/eviction.hpp"
#include "mm/frames.hpp"
#include "mm/swap.hpp"

bool (*suspend_space_hook)(AddressSpace& space, bool suspended) = nullptr;
constinit LoadCounts load_counts{};

namespace {

constinit ChosenPolicy<LoadControls, DefaultLoadControl> control{};

constexpr uint64_t kMillisecond = 1'000'000, kWindow = 250 * kMillisecond,
                   kTurn = 3000 * kMillisecond, kRest = 500 * kMillisecond;
constexpr uint32_t kPatience = 2;  // windows that must agree
constexpr uint32_t kBatch = 256;   // pages of a suspended program that leave in a step

constinit uint64_t window_start = 0;
constinit uint32_t too_many = 0, with_room = 0;  // windows in a row
constinit uint32_t suspended_now = 0;            // atomic
constinit uint32_t ordered_out_now = 0;          // atomic: spaces that still have frames to give up

struct Window {
    uint64_t service = 0;  // microseconds
    uint32_t contenders = 0, fastest = 0;
    uint64_t sets = 0;    // of all that are active
    uint32_t frames = 0;  // that their own pages have
    Ref<AddressSpace> oldest{}, longest_suspended{};
};

// Takes what spaces counted since the last window.
Window look(uint64_t now) {
    Window all;
    uint32_t suspended = 0;
    for (Ref<AddressSpace> space = AllSpaces::next(nullptr); space;
         space = AllSpaces::next(space.get())) {
        PagingState& state = space->paging();
        state.rate = __atomic_exchange_n(&state.faults, 0, __ATOMIC_RELAXED);
        all.service += __atomic_exchange_n(&state.service, 0, __ATOMIC_RELAXED);
        all.frames += space->own_resident();
        if (state.suspended_since) {
            ++suspended;
            if (!all.longest_suspended ||
                state.suspended_since < all.longest_suspended->paging().suspended_since)
                all.longest_suspended = space;
            continue;
        }
        all.sets += state.working_set;
        if (!state.rate) continue;
        ++all.contenders;
        all.fastest = std::max(all.fastest, state.rate);
        if (now - state.active_since >= kRest &&
            (!all.oldest || state.active_since < all.oldest->paging().active_since))
            all.oldest = space;
    }
    __atomic_store_n(&suspended_now, suspended, __ATOMIC_RELAXED);
    return all;
}

LoadJudgement judge(const Window& all, uint64_t elapsed) {
    const PagingLoad load{
        .waiting_permille = static_cast<uint32_t>(all.service * 1'000'000 / elapsed),
        .fastest = all.fastest,
        .working_sets = all.sets,
        .next_set = all.longest_suspended ? all.longest_suspended->paging().set_when_suspended : 0,
        .frames = memory_totals().free + all.frames,
        .reserve = reclaim_target()};
    load_counts.waiting_permille = load.waiting_permille;
    return control->judge(load);
}

void suspend(AddressSpace& space, uint64_t now) {
    PagingState& state = space.paging();
    if (!suspend_space_hook || !suspend_space_hook(space, true)) {
        state.active_since = now;  // not this one: the next
        return;
    }
    state.set_when_suspended = state.working_set;
    state.suspended_since = now;
    ++load_counts.suspended;
    __atomic_fetch_add(&suspended_now, 1, __ATOMIC_RELAXED);
}

void resume(AddressSpace& space, uint64_t now) {
    space.paging().suspended_since = 0;
    space.paging().active_since = now;
    suspend_space_hook(space, false);
    ++load_counts.resumed;
}

void act(const Window& all, const LoadJudgement& verdict, uint64_t now) {
    too_many = verdict.too_many && all.contenders > 1 ? too_many + 1 : 0;
    with_room = verdict.room || all.contenders == 0 ? with_room + 1 : 0;
    AddressSpace* waiting = all.longest_suspended.get();
    const bool turn = waiting && now - waiting->paging().suspended_since >= kTurn;
    if (waiting && (turn || with_room >= kPatience)) {
        with_room = 0;
        resume(*waiting, now);
        if (turn && all.oldest && all.contenders > 0 && !verdict.room) suspend(*all.oldest, now);
    } else if (too_many >= kPatience && all.oldest) {
        too_many = 0;
        suspend(*all.oldest, now);
    }
}

void empty_suspended() {
    uint32_t ordered = 0;
    for (Ref<AddressSpace> space = AllSpaces::next(nullptr); space;
         space = AllSpaces::next(space.get())) {
        const bool by_order = __atomic_load_n(&space->paging().ordered_out, __ATOMIC_RELAXED);
        if (!(by_order || space->paging().suspended_since) || !space->own_resident()) continue;
        evict_pages_of(*space, kBatch);
        ordered += by_order && space->own_resident();
    }
    __atomic_store_n(&ordered_out_now, ordered, __ATOMIC_RELAXED);
}

}  // namespace

constinit const PolicyChoice kLoadControlChoice =
    decltype(control)::choice<control>("vm.load_control", "vm.");

void order_out(AddressSpace& space, bool out) {
    __atomic_store_n(&space.paging().ordered_out, out, __ATOMIC_RELAXED);
    if (out) __atomic_fetch_add(&ordered_out_now, 1, __ATOMIC_RELAXED);
}

bool load_control_due() {
    if (ordered_out_now) return swap_active;
    if (!swap_active || (control.is<NoLoadControl>() && !suspended_now)) return false;
    return monotonic_now().raw() - window_start >= kWindow;
}

void load_control_step() {
    const uint64_t now = monotonic_now().raw();
    if (suspended_now || ordered_out_now) empty_suspended();
    if (now - window_start < kWindow) return;
    const uint64_t elapsed = now - window_start;
    window_start = now;
    const Window all = look(now);
    if (!control.is<NoLoadControl>()) return act(all, judge(all, elapsed), now);
    if (all.longest_suspended) resume(*all.longest_suspended, now);
}
