// See load_control.hpp.
#include "mm/load_control.hpp"

#include <algorithm>

#include "kernel/lib/log.hpp"
#include "kernel/sched/clock.hpp"
#include "kernel/trace/trace.hpp"
#include "mm/all_spaces.hpp"
#include "mm/eviction.hpp"
#include "mm/frames.hpp"
#include "mm/page_out.hpp"
#include "mm/suspension.hpp"
#include "mm/swap.hpp"

bool (*suspend_space_hook)(AddressSpace& space, bool suspended) = nullptr;
void (*describe_spaces_hook)() = nullptr;
constinit LoadCounts load_counts{};

namespace {

constinit ChosenPolicy<LoadControls, DefaultLoadControl> control{};
constinit SuspensionRule rule =
    SuspensionRule::oldest;  // one word: a reader has the old or the new one

constexpr uint64_t kMillisecond = 1'000'000, kWindow = 250 * kMillisecond,
                   kTurn = 3000 * kMillisecond, kRest = 500 * kMillisecond;
constexpr uint32_t kPatience = 2;  // windows that must agree
constexpr uint32_t kBatch = 256;   // pages of a suspended program that leave in a step

constinit uint64_t window_start = 0;
constinit uint32_t too_many = 0, with_room = 0;  // windows in a row
constinit Atomic<uint32_t> suspended_now = 0;
constinit Atomic<uint32_t> ordered_out_now = 0;  // spaces that still have frames to give up

struct Window {
    uint64_t service = 0;  // microseconds
    uint32_t faults = 0, active = 0, suspended = 0, contenders = 0, fastest = 0;
    uint64_t sets = 0;    // of all that are active
    uint32_t frames = 0;  // that their own pages have
    Ref<AddressSpace> chosen{}, longest_suspended{};
    SuspensionCandidate candidate{};  // what is known of `chosen`
};

SuspensionCandidate candidate(AddressSpace& space, uint64_t now) {
    const PagingState& state = space.paging();
    return {state.nice, space.own_resident() + space.own_swapped(), state.rate,
            static_cast<uint32_t>((now - state.active_since) / kMillisecond)};
}

// Takes what spaces counted since the last window.
Window look(uint64_t now) {
    Window all;
    if (describe_spaces_hook) describe_spaces_hook();
    for (Ref<AddressSpace> space = AllSpaces::next(nullptr); space;
         space = AllSpaces::next(space.get())) {
        PagingState& state = space->paging();
        if (control.is<WsLoadControl>()) sample_accessed_bits(*space);
        state.rate = state.faults.exchange(0);
        all.service += state.service.exchange(0);
        all.faults += state.rate;
        all.frames += space->own_resident();
        if (state.suspended_since) {
            ++all.suspended;
            if (!all.longest_suspended ||
                state.suspended_since < all.longest_suspended->paging().suspended_since)
                all.longest_suspended = space;
            continue;
        }
        all.sets += state.working_set;
        if (space->own_resident()) ++all.active;
        if (!state.rate) continue;
        ++all.contenders;
        all.fastest = std::max(all.fastest, state.rate);
        if (now - state.active_since < kRest) continue;
        const SuspensionCandidate program = candidate(*space, now);
        if (all.chosen && !rather(rule, program, all.candidate)) continue;
        all.chosen = space;
        all.candidate = program;
    }
    suspended_now.store_relaxed(all.suspended);
    return all;
}

void note_load(const Window& all, uint64_t elapsed) {
    load_counts.waiting_permille = static_cast<uint32_t>(all.service * 1'000'000 / elapsed);
    if (!all.faults) return;
    load_counts.between_faults = static_cast<uint32_t>(elapsed / 1000 / all.faults);
    load_counts.service = static_cast<uint32_t>(all.service / all.faults);
    trace<TraceType::load_event>(load_counts.between_faults, load_counts.service, all.active,
                                 all.suspended);
}

LoadJudgement judge(const Window& all) {
    const PagingLoad load{
        .waiting_permille = load_counts.waiting_permille,
        .fastest = all.fastest,
        .working_sets = all.sets,
        .next_set = all.longest_suspended ? all.longest_suspended->paging().set_when_suspended : 0,
        .frames = memory_totals().free + all.frames,
        .reserve = reclaim_target()};
    return control->judge(load);
}

void say_why(int process, const Window& all) {
    const std::string_view criterion = control->name();
    const std::string_view chosen_by = kSuspensionRules[static_cast<uint32_t>(rule)];
    log_info(
        "load control: {}: L {} us, S {} us, {} pages in the sets of {} programs; process {} is "
        "suspended, {}: nice {}, {} pages, {} faults, active for {} ms",
        criterion, load_counts.between_faults, load_counts.service, all.sets, all.active, process,
        chosen_by, all.candidate.nice, all.candidate.pages, all.candidate.faults,
        all.candidate.active);
    trace<TraceType::load_suspended_event>(
        static_cast<uint32_t>(process), trace_text(criterion.data()), trace_text(chosen_by.data()),
        static_cast<uint32_t>(measure(rule, all.candidate)));
}

void suspend(const Window& all, uint64_t now) {
    AddressSpace& space = *all.chosen;
    PagingState& state = space.paging();
    if (!suspend_space_hook || !suspend_space_hook(space, true)) {
        state.active_since = now;  // not this one: the next
        return;
    }
    state.set_when_suspended = state.working_set;
    state.suspended_since = now;
    say_why(state.process, all);
    ++state.suspensions;
    ++load_counts.suspended;
    suspended_now.fetch_add(1);
}

void resume(AddressSpace& space, uint64_t now, const char* why) {
    const int process = space.paging().process;
    log_info("load control: process {} is resumed: {}", process, why);
    trace<TraceType::load_resumed_event>(static_cast<uint32_t>(process), trace_text(why));
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
        resume(*waiting, now, turn ? "its turn" : "there is room");
        if (turn && all.chosen && all.contenders > 0 && !verdict.room) suspend(all, now);
    } else if (too_many >= kPatience && all.chosen) {
        too_many = 0;
        suspend(all, now);
    }
}

void empty_suspended() {
    uint32_t ordered = 0;
    for (Ref<AddressSpace> space = AllSpaces::next(nullptr); space;
         space = AllSpaces::next(space.get())) {
        const bool by_order = space->paging().ordered_out.relaxed();
        if (!(by_order || space->paging().suspended_since) || !space->own_resident()) continue;
        evict_pages_of(*space, kBatch);
        ordered += by_order && space->own_resident();
    }
    ordered_out_now.store_relaxed(ordered);
}

}  // namespace

constinit const PolicyChoice kLoadControlChoice =
    decltype(control)::choice<control>("vm.load_control", "vm.");

constinit const PolicyChoice kLoadVictimChoice = {
    "vm.load_victim", kSuspensionRules, [] { return static_cast<uint32_t>(rule); },
    [](uint32_t which) { rule = static_cast<SuspensionRule>(which); }};

void order_out(AddressSpace& space, bool out) {
    space.paging().ordered_out.store_relaxed(out);
    if (out) ordered_out_now.fetch_add(1);
}

bool load_control_due() {
    if (ordered_out_now || !swap_active) return swap_active;
    return monotonic_now().raw() - window_start >= kWindow;
}

void load_control_step() {
    const uint64_t now = monotonic_now().raw();
    if (suspended_now || ordered_out_now) empty_suspended();
    if (now - window_start < kWindow) return;
    const uint64_t elapsed = now - window_start;
    window_start = now;
    const Window all = look(now);
    note_load(all, elapsed);
    const bool off = control.is<NoLoadControl>();
    if (!off && swap_has_area()) return act(all, judge(all), now);
    if (all.longest_suspended)
        resume(*all.longest_suspended, now, off ? "load control is off" : "there is no swap");
}
