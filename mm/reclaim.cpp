// See reclaim.hpp. A round: look at all accessed bits, then evict until enough is free.
#include "mm/reclaim.hpp"

#include "kernel/sched/clock.hpp"
#include "kernel/sched/scheduler.hpp"
#include "kernel/sched/thread.hpp"
#include "mm/all_spaces.hpp"
#include "mm/compaction.hpp"
#include "mm/eviction.hpp"
#include "mm/frame_allocation.hpp"
#include "mm/load_control.hpp"
#include "mm/memory_trace.hpp"
#include "mm/page_out.hpp"
#include "mm/tracked_frames.hpp"

constinit ReclaimCounts reclaim_counts{};
constinit Atomic<uint32_t> swappiness = 100;
constinit SleepingReclaimer file_reclaimer{};

namespace {

constexpr uint32_t kAttempts = 8, kPatientAttempts = 100;
constexpr uint64_t kPause = 10'000'000;  // nanoseconds

constinit SpinLock reclaim_lock{LockRank::reclaim};
constinit WaitQueue done_queue{};
constinit bool running GUARDED_BY(reclaim_lock) = false;
constinit uint32_t rounds GUARDED_BY(reclaim_lock) = 0, freed_last GUARDED_BY(reclaim_lock) = 0;
constinit Atomic<bool> wanted = false;
constinit Thread* thread = nullptr;

void sample_all() {
    if (describe_spaces_hook) describe_spaces_hook();
    for (Ref<AddressSpace> space = AllSpaces::next(nullptr); space;
         space = AllSpaces::next(space.get())) {
        sample_accessed_bits(*space);
        LockGuard guard(swap_lock);
        policy_of(space->pool()).tick(samplings, nullptr);
    }
    LockGuard guard(swap_lock);
    policy_of(common_pool).tick(samplings, nullptr);
}

// What has no owner any more, then what the largest pools have.
uint32_t evict_somewhere(uint32_t wanted) {
    uint32_t freed = evict_from(common_pool, wanted);
    while (local_scope && freed < wanted) {
        Ref<AddressSpace> largest;
        for (Ref<AddressSpace> space = AllSpaces::next(nullptr); space;
             space = AllSpaces::next(space.get()))
            if (!largest || space->own_resident() > largest->own_resident()) largest = space;
        const uint32_t more = largest ? evict_from(largest->pool(), wanted - freed) : 0;
        if (!more) break;
        freed += more;
    }
    return freed;
}

uint32_t one_round() {
    uint32_t freed = 0;
    const bool swaps = swap_has_area(), excess = swaps && allocate_frames_to_spaces();
    const uint32_t free = memory_totals().free, target = reclaim_target();
    if (free >= target && !excess) return target;
    const uint32_t wish = free < target ? target - free : 0;
    ++samplings;
    if (file_reclaimer.tick) file_reclaimer.tick(samplings);
    const uint32_t of_files = (wish * (200 - swappiness) + 199) / 200;
    if (of_files && file_reclaimer.reclaim) freed = file_reclaimer.reclaim(of_files, false);
    if (swaps) {
        sample_all();
        if (excess) freed += evict_excess();
        if (freed < wish) freed += evict_somewhere(wish - freed);
    }
    if (freed < wish && file_reclaimer.reclaim) freed += file_reclaimer.reclaim(wish - freed, true);
    return freed;
}

bool is_wanted() { return wanted.relaxed(); }

void reclaim_thread(void*) {
    for (;;) {
        for (;;) {
            if (swap_active) load_control_step();
            if (wanted.exchange(false)) break;
            park({.interruptible = false, .deadline = {}, .reason = "memory"});
        }
        reclaim_lock.lock();
        running = true;
        reclaim_lock.unlock();
        compact_if_wanted();
        const uint32_t freed = one_round();
        reclaim_lock.lock();
        running = false;
        ++rounds;
        ++reclaim_counts.rounds;
        if (freed == 0) ++reclaim_counts.fruitless;
        freed_last = freed;
        reclaim_lock.unlock();
        done_queue.wake_all();
    }
}

// From any allocation, under whatever locks: the next tick wakes the thread.
void ask_for_round() { wanted.store(true); }

void each_tick() {
    if (is_wanted() || load_control_due()) unpark(*thread);
    trace_frames(file_reclaimer.pages ? file_reclaimer.pages() : 0);
    if (file_reclaimer.each_tick) file_reclaimer.each_tick();
}

// How many frames a whole round freed.
uint32_t wait_for_round() {
    LockGuard guard(reclaim_lock);
    // One that is under way may have passed what could be freed now.
    const uint32_t until = rounds + (running ? 2 : 1);
    done_queue.wait(reclaim_lock,
                    [&]() NO_LOCK_ANALYSIS {
                        if (static_cast<int32_t>(rounds - until) >= 0) return true;
                        ask_for_round();
                        unpark(*thread);
                        return false;
                    },
                    {.interruptible = false, .deadline = {}, .reason = "memory"});
    return freed_last;
}

}  // namespace

void install_file_reclaimer(const SleepingReclaimer& reclaimer) { file_reclaimer = reclaimer; }

void reclaim_start() {
    eviction_init();
    Result<Ref<Thread>> created = Thread::create("reclaim", reclaim_thread, nullptr);
    VERIFY(created.is_ok());
    thread = created.value().leak();  // it never ends
    start_thread(*thread);
    memory_short_hook = ask_for_round;
    tick_hook = each_tick;
}

bool wait_for_memory() {
    if (!thread) return false;
    // A round that freed nothing may have met only busy spaces: a moment later they are not. While
    // swap has room that will be so, however long its disk takes.
    const uint32_t attempts = swap_has_room() ? kPatientAttempts : kAttempts;
    for (uint32_t attempt = 0; attempt < attempts; ++attempt) {
        if (wait_for_round() > 0) return true;
        const Nanoseconds soon = monotonic_now() + kPause;
        LockGuard guard(reclaim_lock);
        done_queue.wait(reclaim_lock, [&] { return monotonic_now() >= soon; },
                        {.interruptible = false, .deadline = soon, .reason = "memory"});
    }
    return false;
}

void wait_for_eviction() {
    if (thread && swap_active) wait_for_round();
}

bool unmap_page_of(const Pager& pager, uint32_t index, Frame frame, bool even_if_used) {
    bool all = true;
    for (Ref<AddressSpace> space = AllSpaces::next(nullptr); space;
         space = AllSpaces::next(space.get()))
        all &= give_up_file_page(*space, pager, index, frame, even_if_used);
    if (all && !even_if_used) ++reclaim_counts.file_unmapped;
    return all;
}
