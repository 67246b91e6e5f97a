// See reclaim.hpp. A round: look at all accessed bits, then evict in clusters until enough is free.
#include "mm/reclaim.hpp"

#include <algorithm>

#include "kernel/lib/log.hpp"
#include "kernel/sched/clock.hpp"
#include "kernel/sched/scheduler.hpp"
#include "kernel/sched/thread.hpp"
#include "mm/all_spaces.hpp"
#include "mm/compaction.hpp"
#include "mm/tracked_frames.hpp"
#include "mm/window.hpp"

constinit ReclaimCounts reclaim_counts{};

namespace {

constexpr uint32_t kCluster = 16;  // pages written at once: 64 KiB
constexpr uint32_t kClusterOrder = 4;
constexpr uint32_t kAttempts = 8;
constexpr uint64_t kPause = 10'000'000;  // nanoseconds

constinit SpinLock lock{LockRank::reclaim};
constinit WaitQueue done_queue{};
constinit bool running = false;                 // under lock
constinit uint32_t rounds = 0, freed_last = 0;  // under lock
constinit bool wanted = false;                  // atomic
constinit Thread* thread = nullptr;
constinit SleepingReclaimer file_reclaimer{nullptr};
constinit void* buffer = nullptr;  // the thread's own: what a cluster is written from
constinit uint32_t samples = 0;

struct Victim {
    Frame frame{};
    SwapEntry entry{};
    bool write = false;  // the slot doesn't have its contents yet
};

// Locks: swap_lock. Taken off the policy's list, with one more reference.
uint32_t choose_victims(Victim (&victims)[kCluster]) {
    ReplacementPolicy& policy = replacement_policy();
    uint32_t count = 0;
    for (uint32_t left = policy.size(); left > 0 && count < kCluster; --left) {
        ResidentPage* page = policy.victim(samples);
        if (!page) break;
        policy.remove(*page);
        ++reclaim_counts.scanned;
        const Frame frame(page->page);
        if (!try_get_frame(frame)) continue;  // its last owner is just leaving it
        victims[count++] = {frame, tracked(frame).entry};
    }
    return count;
}

// Locks: swap_lock. Those without a slot get one; who gets none stays.
uint32_t give_slots(std::span<Victim> victims) {
    uint32_t kept = 0;
    SwapEntry next{};
    uint32_t room = 0;
    auto need = static_cast<uint32_t>(
        std::ranges::count_if(victims, [](const Victim& v) { return !v.entry; }));
    for (Victim& victim : victims) {
        if (!victim.entry) {
            if (room == 0) room = swap_allocate(need, next);
            if (room == 0) {
                replacement_policy().load(tracked(victim.frame), true, samples);
                put_tracked(victim.frame);
                continue;
            }
            victim.entry = next;
            victim.write = true;
            next = SwapEntry::make(next.area(), next.slot() + 1);
            --room;
            --need;
            get_frame(victim.frame);
            swap_cache_insert(victim.entry, victim.frame);
        }
        victims[kept++] = victim;
    }
    return kept;
}

// Everybody who maps it gets the slot instead. False: nobody could be made to.
bool unmap(const Victim& victim) {
    const VirtAddr address = tracked(victim.frame).address;
    for (Ref<AddressSpace> space = AllSpaces::next(nullptr); space;
         space = AllSpaces::next(space.get())) {
        space->evict(victim.frame, address, victim.entry);
        if (frame_references(victim.frame) == 2) break;  // the cache's and ours
    }
    return frame_references(victim.frame) == 2;
}

void copy_to_buffer(uint32_t at, Frame frame) {
    FrameWindow window(frame);
    __builtin_memcpy(static_cast<char*>(buffer) + (at << kPageShift), window.data(), kPageSize);
}

// Writes runs of neighbouring slots. A page whose slot can't be written stays in memory.
void write_out(std::span<Victim> victims) {
    for (size_t first = 0; first < victims.size();) {
        size_t end = first;
        while (end < victims.size() && victims[end].write &&
               victims[end].entry == SwapEntry::make(victims[first].entry.area(),
                                                     victims[first].entry.slot() +
                                                         static_cast<uint32_t>(end - first))) {
            copy_to_buffer(static_cast<uint32_t>(end - first), victims[end].frame);
            ++end;
        }
        if (end == first) {
            ++first;
            continue;
        }
        const Result<void> done =
            swap_write(victims[first].entry, static_cast<uint32_t>(end - first), buffer);
        for (size_t i = first; i < end; ++i) victims[i].write = done.is_error();
        if (done.is_error()) {
            LockGuard guard(swap_lock);
            swap_area_failed(victims[first].entry);
        }
        first = end;
    }
}

// Frames that nobody came back for meanwhile are free now.
uint32_t settle(std::span<const Victim> victims) {
    LockGuard guard(swap_lock);
    uint32_t freed = 0;
    for (const Victim& victim : victims) {
        // A page that couldn't be written has no copy: whoever names its slot finds it here.
        const bool only_us = frame_references(victim.frame) == 2;
        TrackedFrame& page = tracked(victim.frame);
        page.unwritten = victim.write && page.entry == victim.entry;
        if (only_us && !victim.write && swap_cache_remove(victim.entry, victim.frame))
            ++freed;
        else if (!page.node.linked())
            replacement_policy().load(page, false, samples);
        put_tracked(victim.frame);
    }
    reclaim_counts.stolen += freed;
    return freed;
}

uint32_t evict_cluster() {
    Victim victims[kCluster];
    uint32_t count;
    {
        LockGuard guard(swap_lock);
        count = choose_victims(victims);
        count = give_slots({victims, count});
    }
    uint32_t evicted = 0;
    for (uint32_t i = 0; i < count; ++i) {
        Victim& victim = victims[i];
        victim.write |= tracked(victim.frame).unwritten;
        if (unmap(victim)) {
            victims[evicted++] = victim;
            continue;
        }
        // Somebody is busy with it: it stays, and its slot goes if nobody names it by now.
        LockGuard guard(swap_lock);
        TrackedFrame& page = tracked(victim.frame);
        if (victim.write) page.unwritten = true;
        if (!page.node.linked()) replacement_policy().load(page, true, samples);
        put_tracked(victim.frame);
    }
    write_out({victims, evicted});
    return settle({victims, evicted});
}

uint32_t evictable() {
    LockGuard guard(swap_lock);
    return replacement_policy().size();
}

uint32_t one_round() {
    const uint32_t free = memory_totals().free, target = reclaim_target();
    if (free >= target) return target;
    const uint32_t wish = target - free;
    uint32_t freed = 0;
    if (file_reclaimer.reclaim) freed = file_reclaimer.reclaim((wish + 1) / 2);
    if (swap_active) {
        for (Ref<AddressSpace> space = AllSpaces::next(nullptr); space;
             space = AllSpaces::next(space.get()))
            space->sample();
        {
            LockGuard guard(swap_lock);
            replacement_policy().tick(++samples, nullptr);
        }
        for (uint32_t left = evictable() / kCluster + 2; freed < wish && left > 0; --left)
            freed += evict_cluster();
    }
    if (freed < wish && file_reclaimer.reclaim) freed += file_reclaimer.reclaim(wish - freed);
    return freed;
}

bool is_wanted() { return __atomic_load_n(&wanted, __ATOMIC_RELAXED); }

void reclaim_thread(void*) {
    for (;;) {
        while (!__atomic_exchange_n(&wanted, false, __ATOMIC_ACQ_REL))
            park({.interruptible = false, .deadline = {}, .reason = "memory"});
        lock.lock();
        running = true;
        lock.unlock();
        compact_if_wanted();
        const uint32_t freed = one_round();
        lock.lock();
        running = false;
        ++rounds;
        ++reclaim_counts.rounds;
        if (freed == 0) ++reclaim_counts.fruitless;
        freed_last = freed;
        lock.unlock();
        done_queue.wake_all();
    }
}

// From any allocation, under whatever locks: the next tick wakes the thread.
void ask_for_round() { __atomic_store_n(&wanted, true, __ATOMIC_RELEASE); }

void wake_if_wanted() {
    if (is_wanted()) unpark(*thread);
}

// How many frames a whole round freed.
uint32_t wait_for_round() {
    LockGuard guard(lock);
    // One that is under way may have passed what could be freed now.
    const uint32_t until = rounds + (running ? 2 : 1);
    done_queue.wait(lock,
                    [&] {
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
    Result<Frame> run = allocate_frames(kClusterOrder, Zone::low);
    VERIFY(run.is_ok());
    buffer = to_virtual(run.value());
    Result<Ref<Thread>> created = Thread::create("reclaim", reclaim_thread, nullptr);
    VERIFY(created.is_ok());
    thread = created.value().leak();  // it never ends
    start_thread(*thread);
    memory_short_hook = ask_for_round;
    tick_hook = wake_if_wanted;
}

bool wait_for_memory() {
    if (!buffer) return false;
    // A round that freed nothing may have met everybody busy: a moment later they are not.
    for (uint32_t attempt = 0; attempt < kAttempts; ++attempt) {
        if (wait_for_round() > 0) return true;
        const Nanoseconds soon = monotonic_now() + kPause;
        LockGuard guard(lock);
        done_queue.wait(lock, [&] { return monotonic_now() >= soon; },
                        {.interruptible = false, .deadline = soon, .reason = "memory"});
    }
    return false;
}

bool unmap_file_page(const Pager* pager, uint32_t index, Frame frame) {
    bool all = true;
    for (Ref<AddressSpace> space = AllSpaces::next(nullptr); space;
         space = AllSpaces::next(space.get()))
        all &= space->give_up_file_page(pager, index, frame);
    if (all) ++reclaim_counts.file_unmapped;
    return all;
}
