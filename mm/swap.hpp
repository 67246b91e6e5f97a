// Swap: private pages without a file, kept on a disk while no frame holds them.
//
// A page table entry that isn't present may name a slot:
//   31                    12 11 10  9        4        1  0
//   [          slot         ][1][0][0][ 0... ][ area ][0]
//
// A slot counts the entries that name it. While a frame holds the same contents, slot and frame
// know each other (the swap cache), and the cache owns one reference to the frame. Such a frame is
// mapped read-only, so that it stays equal to its slot; the first write takes it out of the cache,
// or copies it if others name the slot or map the frame.
// Invariant: a slot is free exactly if no entry names it and no frame is cached for it.
// Locks: `swap_lock` (rank swap), for slots, the cache and the pages that may be evicted
// (tracked_frames.hpp).
// Spec: swapon(2); util-linux' mkswap for the header.
#pragma once

#include <string_view>

#include "drivers/block.hpp"
#include "kernel/arch/page_table.hpp"
#include "kernel/lib/format.hpp"
#include "kernel/lib/result.hpp"
#include "kernel/sync/spin_lock.hpp"

constexpr uint32_t kSwapAreas = 8;

// What stands for a slot in a page table entry, and 0 for none.
struct SwapEntry {
    uint32_t raw = 0;
    static constexpr SwapEntry make(uint32_t area, uint32_t slot) {
        return {slot << kPageShift | kEntrySwapped | area << 1};
    }
    constexpr uint32_t area() const { return raw >> 1 & (kSwapAreas - 1); }
    constexpr uint32_t slot() const { return raw >> kPageShift; }
    constexpr explicit operator bool() const { return raw != 0; }
    constexpr bool operator==(const SwapEntry&) const = default;
};
static_assert(SwapEntry::make(3, 0x12345).raw == 0x12345806);

extern SpinLock swap_lock;
extern Atomic<bool> swap_active;  // there is or was an area: private pages are tracked
bool swap_has_area();             // there is one now; takes no lock
bool swap_has_room();             // a page more would find a slot

// EINVAL, EBUSY, ENOMEM, EIO; EPERM is the caller's business. `priority` -1: below all others. The
// device must live until swap_off; `path` is what /proc/swaps shows, as far as there is room.
Result<void> swap_on(BlockDevice& device, int priority, std::string_view path, bool is_file);
// Brings every page of it back first. EINVAL: not in use. ENOMEM: not enough frames.
Result<void> swap_off(BlockDevice& device);
bool is_swap_area(const BlockDevice& device);
void show_swap_areas(TextSink& to);

struct SwapTotals {  // pages
    uint32_t total, free, cached;
};
SwapTotals swap_totals();

struct SwapCounts {  // since boot, pages
    uint32_t in, out, writes, cached_hits, refused;
};
extern SwapCounts swap_counts;  // swap_lock to write

// --- for page tables
void swap_add_name(SwapEntry entry);   // one more page table entry names it
void swap_drop_name(SwapEntry entry);  // one fewer
// The cached frame with the slot's contents, with one reference for the caller.
bool swap_find(SwapEntry entry, Frame& frame);
// Brings them into the cache. The caller has a name, so that it stays. EIO, ENOMEM. Sleeps.
Result<void> swap_read(SwapEntry entry);
// The frame with the contents of a slot that the caller's object names, with a reference. Sleeps.
Result<Frame> swap_bring_in(SwapEntry entry);
// A frame that only the caller and perhaps the cache hold: true if the caller may write to it
// now, because the cache gave it up.
bool swap_take_over(Frame frame);
// The caller is about to drop its reference: the cache gives up what nobody needs any more.
void swap_about_to_drop(Frame frame);

// --- for eviction (eviction.cpp); swap_lock held, except swap_write
// `count` slots next to each other, or fewer; how many. 0: all full.
uint32_t swap_allocate(uint32_t count, SwapEntry& first) REQUIRES(swap_lock);
bool swap_is_leaving(SwapEntry entry) REQUIRES(swap_lock);  // its area is being switched off
void swap_cache_insert(SwapEntry entry, Frame frame) REQUIRES(swap_lock);  // takes over a reference
// Gives it back; false: it wasn't there.
bool swap_cache_remove(SwapEntry entry, Frame frame) REQUIRES(swap_lock);
Result<void> swap_write(SwapEntry first, uint32_t count, const void* from);
void swap_area_failed(SwapEntry entry) REQUIRES(swap_lock);  // nothing new goes there any more
