// See load_control.hpp.
#include "mm/load_control.hpp"

#include <algorithm>

#include "kernel/lib/format.hpp"
#include "kernel/sched/clock.hpp"
#include "mm/all_spaces.hpp"
#include "mm/eviction.hpp"
#include "mm/frames.hpp"
#include "mm/swap.hpp"

bool (*suspend_space_hook)(AddressSpace& space, bool suspended) = nullptr;
constinit LoadCounts load_counts{};

namespace {

enum class Criterion : uint32_t { off, ls, pff, ws };
constexpr std::string_view kNames[] = {"off", "ls", "pff", "ws"};
constinit Criterion criterion = Criterion::off;  // one word: a reader has the old or the new one

constexpr uint64_t kMillisecond = 1'000'000, kWindow = 250 * kMillisecond,
                   kTurn = 3000 * kMillisecond, kRest = 500 * kMillisecond;
constexpr uint32_t kPatience = 2;             // windows that must agree
constexpr uint32_t kUpper = 50, kLower = 10;  // faults of a program in a window
constexpr uint32_t kBatch = 256;              // pages of a suspended program that leave in a step

constinit uint64_t window_start = 0;
constinit uint32_t too_many = 0, with_room = 0;  // windows in a row
constinit uint32_t suspended_now = 0;            // atomic

struct Window {
    uint64_t service = 0;  // microseconds
    uint32_t contenders = 0, fastest = 0;
    uint64_t sets = 0;  // of all that are active
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

struct Judgement {
    bool too_many, room;
};
Judgement judge(const Window& all, uint64_t elapsed) {
    const auto waiting = static_cast<uint32_t>(all.service * 1'000'000 / elapsed);
    load_counts.waiting_permille = waiting;
    if (criterion == Criterion::ls) return {waiting > 1000, waiting < 500};
    if (criterion == Criterion::pff) return {all.fastest > kUpper, all.fastest < kLower};
    uint32_t frames = memory_totals().free;
    for (Ref<AddressSpace> space = AllSpaces::next(nullptr); space;
         space = AllSpaces::next(space.get()))
        frames += space->own_resident();
    const uint32_t more =
        all.longest_suspended ? all.longest_suspended->paging().set_when_suspended : 0;
    return {all.sets > frames - std::min(frames, reclaim_target()) && all.fastest > kLower,
            all.sets + more < frames};
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

void act(const Window& all, const Judgement& verdict, uint64_t now) {
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
    for (Ref<AddressSpace> space = AllSpaces::next(nullptr); space;
         space = AllSpaces::next(space.get()))
        if (space->paging().suspended_since && space->own_resident())
            evict_pages_of(*space, kBatch);
}

}  // namespace

bool choose_load_control(std::string_view name) {
    const auto* found = std::ranges::find(kNames, name);
    if (found == std::end(kNames)) return false;
    criterion = static_cast<Criterion>(found - kNames);
    return true;
}

void show_load_control(TextSink& to) {
    for (uint32_t i = 0; i < std::size(kNames); ++i)
        format_to(to, i == static_cast<uint32_t>(criterion) ? "{}[{}]" : "{}{}", i ? " " : "",
                  kNames[i]);
    to.put("\n");
}

bool load_control_due() {
    if (!swap_active || (criterion == Criterion::off && !suspended_now)) return false;
    return monotonic_now().raw() - window_start >= kWindow;
}

void load_control_step() {
    const uint64_t now = monotonic_now().raw();
    if (suspended_now) empty_suspended();
    if (now - window_start < kWindow) return;
    const uint64_t elapsed = now - window_start;
    window_start = now;
    const Window all = look(now);
    if (criterion != Criterion::off) return act(all, judge(all, elapsed), now);
    if (all.longest_suspended) resume(*all.longest_suspended, now);
}
