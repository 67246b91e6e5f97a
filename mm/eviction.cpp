// See eviction.hpp.
#include "mm/eviction.hpp"

#include <algorithm>
#include <utility>

#include "mm/all_spaces.hpp"
#include "mm/page_out.hpp"
#include "mm/reclaim.hpp"
#include "mm/shared_pages.hpp"
#include "mm/tracked_frames.hpp"
#include "mm/window.hpp"

constinit uint32_t samplings = 0;

namespace {

constexpr uint32_t kCluster = 16;  // pages written at once: 64 KiB
constexpr uint32_t kClusterOrder = 4;
constexpr uint32_t kBetweenLooks = 256;  // rounds until locked pages are looked at again

constinit void* buffer = nullptr;  // what a cluster is written from

struct Victim {
    Frame frame{};
    SwapEntry entry{};
    bool write = false;   // the slot doesn't have its contents yet
    bool locked = false;  // who maps it has locked it
    uint32_t index = 0;
    SharedPages* shared = nullptr;  // whose page it is, which `owner` keeps alive
    Ref<RefCounted> owner{};        // must not be dropped under swap_lock
};

// Back to its policy, unless its object has given it up meanwhile.
void keep(const Victim& victim, bool write) REQUIRES(swap_lock) {
    TrackedFrame& page = tracked(victim.frame);
    if (page.node.linked() || (victim.shared && !page.shared)) return;
    if (victim.locked) page.pool = &locked_pool;
    policy_of(page).load(page, write, samplings);
}

// Taken off the policy's list, with one more reference.
uint32_t choose_victims(ReplacementSet& pool, Victim (&victims)[kCluster]) REQUIRES(swap_lock) {
    ReplacementPolicy& policy = policy_of(pool);
    uint32_t count = 0;
    policy.prepare();
    for (uint32_t left = policy.size(); left > 0 && count < kCluster; --left) {
        ResidentPage* page = policy.victim(samplings);
        if (!page) break;
        policy.remove(*page);
        ++reclaim_counts.scanned;
        const Frame frame(page->page);
        // The last owner of either may just be leaving it.
        if (!try_get_frame(frame)) continue;
        const TrackedFrame& chosen = tracked(frame);
        if (chosen.shared && !chosen.shared->owner().try_add_ref()) {
            put_tracked(frame);
            continue;
        }
        Victim& victim = victims[count++];
        victim = {
            .frame = frame, .entry = chosen.entry, .index = chosen.index, .shared = chosen.shared};
        if (chosen.shared) victim.owner = Ref<RefCounted>::adopt(&chosen.shared->owner());
    }
    return count;
}

// Those without a slot get one; a page that gets none, or a useless one, stays.
uint32_t give_slots(std::span<Victim> victims) REQUIRES(swap_lock) {
    uint32_t kept = 0;
    SwapEntry next{};
    uint32_t room = 0;
    auto need = static_cast<uint32_t>(
        std::ranges::count_if(victims, [](const Victim& v) { return !v.entry; }));
    for (Victim& victim : victims) {
        if (!victim.entry && room == 0) room = swap_allocate(need, next);
        if (victim.entry ? swap_is_leaving(victim.entry) : room == 0) {
            keep(victim, true);
            put_tracked(victim.frame);
            continue;
        }
        if (!victim.entry) {
            victim.entry = next;
            victim.write = true;
            next = SwapEntry::make(next.area(), next.slot() + 1);
            --room;
            --need;
            get_frame(victim.frame);
            swap_cache_insert(victim.entry, victim.frame);
        }
        std::swap(victims[kept++], victim);
    }
    return kept;
}

// All that map it get the slot instead. False: a space was busy.
bool unmap(Victim& victim) {
    if (victim.shared) {
        if (!victim.shared->give_up(victim.index, victim.frame, victim.entry)) return false;
        unmap_page_of(victim.shared->pager(), victim.index, victim.frame, true);
        return frame_references(victim.frame) == 2;
    }
    const VirtAddr address = tracked(victim.frame).address;
    for (Ref<AddressSpace> space = AllSpaces::next(nullptr); space;
         space = AllSpaces::next(space.get())) {
        evict_page(*space, victim.frame, address, victim.entry, victim.locked);
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

// Frames that were not used meanwhile are free now.
uint32_t settle(std::span<const Victim> victims) {
    LockGuard guard(swap_lock);
    uint32_t freed = 0;
    for (const Victim& victim : victims) {
        // A page that couldn't be written has no copy: a fault on its slot finds it here.
        const bool only_us = frame_references(victim.frame) == 2;
        TrackedFrame& page = tracked(victim.frame);
        page.unwritten = victim.write && page.entry == victim.entry;
        if (only_us && !victim.write && swap_cache_remove(victim.entry, victim.frame))
            ++freed;
        else
            keep(victim, false);
        put_tracked(victim.frame);
    }
    reclaim_counts.stolen += freed;
    return freed;
}

// Writes, and frees what could be taken from all.
uint32_t evict(std::span<Victim> chosen) {
    uint32_t count;
    {
        LockGuard guard(swap_lock);
        count = give_slots(chosen);
    }
    uint32_t evicted = 0;
    for (uint32_t i = 0; i < count; ++i) {
        Victim& victim = chosen[i];
        victim.write |= tracked(victim.frame).unwritten;
        if (unmap(victim)) {
            std::swap(chosen[evicted++], victim);
            continue;
        }
        swap_about_to_drop(victim.frame);
        // It is in use: it stays, and its slot goes if no entry names it by now.
        LockGuard guard(swap_lock);
        TrackedFrame& page = tracked(victim.frame);
        page.unwritten = victim.write && page.entry;
        keep(victim, true);
        put_tracked(victim.frame);
    }
    write_out(chosen.first(evicted));
    return settle(chosen.first(evicted));
}

}  // namespace

void eviction_init() {
    Result<Frame> run = allocate_frames(kClusterOrder, Zone::low);
    VERIFY(run.is_ok());
    buffer = to_virtual(run.value());
}

uint32_t evict_from(ReplacementSet& pool, uint32_t wanted) {
    uint32_t freed = 0, left;
    if (&pool == &common_pool && (some_unlocked.exchange(false) || samplings % kBetweenLooks == 0))
        compete_again();
    {
        LockGuard guard(swap_lock);
        left = policy_of(pool).size() / kCluster + 2;
    }
    for (; freed < wanted && left > 0; --left) {
        Victim victims[kCluster];
        uint32_t count;
        {
            LockGuard guard(swap_lock);
            count = choose_victims(pool, victims);
        }
        if (count == 0) break;
        freed += evict({victims, count});
    }
    if (!freed && &pool == &common_pool) some_unlocked.store_relaxed(true);
    return freed;
}

uint32_t evict_pages_of(AddressSpace& space, uint32_t wanted) {
    uint32_t freed = 0;
    for (uint32_t left = space.own_resident() / kCluster + 2; freed < wanted && left > 0; --left) {
        Frame frames[kCluster];
        Victim victims[kCluster];
        uint32_t count = 0;
        const uint32_t found = next_private(space, frames);
        {
            LockGuard guard(swap_lock);
            for (uint32_t i = 0; i < found; ++i) {
                TrackedFrame& page = tracked(frames[i]);
                if (page.node.linked()) {
                    policy_of(page).remove(page);
                    victims[count++] = {frames[i], page.entry};
                } else {
                    put_tracked(frames[i]);
                }
            }
        }
        reclaim_counts.scanned += found;
        if (count) freed += evict({victims, count});
    }
    return freed;
}
