// Frames: the physical memory, handed out by a buddy allocator in two zones: low (in the direct
// map, for the kernel's own use) and high (above it, for user pages, reached through windows).
// Every frame has a FrameInfo; its reference count is the number of mappings and owners.
// Memory for users and caches (allocate_frame) is refused before the very last frames are gone, so
// that the heap and page tables still get some.
// Locks: IrqSpinLocks of each CPU's stock and of the allocator (ranks frame_stock, frames); callable
// from interrupt handlers, never sleeps.
#pragma once

#include "boot/boot_info.hpp"
#include "kernel/lib/atomic.hpp"
#include "kernel/lib/bitmap.hpp"
#include "kernel/lib/list.hpp"
#include "kernel/lib/result.hpp"
#include "kernel/lib/types.hpp"

enum class Zone : uint8_t { low, any };  // any: high first, low when that is empty
constexpr uint32_t kMaxOrder = 10;       // the largest run: 2^10 frames, 4 MiB

struct FrameInfo {
    Atomic<uint32_t> references;  // 0: free, or not ours to give
    uint8_t order;                // of the run that starts here (allocated or free)
    bool free;                    // a free run of the buddy allocator starts here
    // Of a user page table: entries in use. Of each frame of a heap's area: whose, from 1 on.
    uint16_t table_entries;
    ListNode node;  // free list while free; the owner's use while allocated
};
static_assert(sizeof(void*) != 4 || sizeof(FrameInfo) == 16);

struct MemoryTotals {  // in frames
    uint32_t total, free, low_total, low_free;
};

void frames_init(const BootInfo& info);  // also excludes the kernel image and boot modules

// A run of 2^order frames, aligned to its size, with one reference; ENOMEM. Contents undefined.
Result<Frame> allocate_frames(uint32_t order, Zone zone);
void free_frames(Frame first, uint32_t order);

// One frame, undefined / filled with zero. When memory is short these first ask the reclaimers.
Result<Frame> allocate_frame(Zone zone);
Result<Frame> allocate_zeroed_frame(Zone zone);
// The running program is the superuser's, or the kernel itself runs: the reserve may be used that others
// must leave, so that someone can put a full machine in order. Set at start-up by kernel/proc.
extern bool (*is_for_superuser)();
// The kernel's own memory is so short that what is left is theirs, and the caller is another user.
bool kernel_memory_is_reserved();

// The last frames may go too: for what the kernel needs to get anything done (page tables, stacks).
Result<Frame> allocate_kernel_frame();

extern FrameInfo* frame_table;
extern uint32_t frame_table_size;
void free_last_reference(Frame frame);
void free_unhooked(Frame frame);               // the same, for who installed the hook
extern void (*frame_freed_hook)(Frame frame);  // null until frames are tracked

inline FrameInfo& frame_info(Frame frame) {
    VERIFY(frame.raw() < frame_table_size);
    return frame_table[frame.raw()];
}
inline void get_frame(Frame frame) {  // one more reference
    frame_info(frame).references.fetch_add(1);
}
inline void put_frame(Frame frame) {  // one fewer; the last one frees it
    if (frame_info(frame).references.subtract(1) == 0) free_last_reference(frame);
}
// One more reference, unless the last one is gone already.
inline bool try_get_frame(Frame frame) {
    Atomic<uint32_t>& references = frame_info(frame).references;
    uint32_t count = references.relaxed();
    while (count && !references.replace(count, count + 1)) {
    }
    return count != 0;
}
inline uint32_t frame_references(Frame frame) { return frame_info(frame).references.relaxed(); }

MemoryTotals memory_totals();
uint32_t free_run_count(Zone zone, uint32_t order);  // any: of the high zone (/proc/buddyinfo)

// Frames that their owner keeps at hand, and gives back on the first sign of shortage, count as
// free: it reports each change here.
void note_spare_frames(int32_t change);

// A source that can give frames back (the page cache): frees about `wanted`, says how many it did.
// Called without locks, may be called with any mutex held, so it must not take one.
struct Reclaimer {
    uint32_t (*reclaim)(uint32_t wanted);
    Reclaimer* next = nullptr;
};
void add_reclaimer(Reclaimer& reclaimer);
// Told when they couldn't free enough (reclaim.hpp); and how many free frames it should make.
extern void (*memory_short_hook)();
uint32_t reclaim_target();

// Gives [start, end), page-aligned outwards, to the allocator: boot modules and sections that
// nobody needs any more.
void release_boot_range(PhysAddr start, PhysAddr end);
void release_boot_memory();  // the .init sections

// --- for compaction (compaction.hpp)
// visit(context, index) for each frame that is free, as far as that can be told without stopping all.
void for_each_free_frame(void (*visit)(void* context, uint32_t index), void* context);
// The free frames of a block of 2^order frames leave the allocator; their bits are set. And back.
void withdraw_free_frames(uint32_t first, uint32_t order, Bitmap& withdrawn);
void return_frames(uint32_t first, const Bitmap& withdrawn);
// The order of a run that could not be had though so much was free; 0: none since last asked.
uint32_t take_wanted_run();

// Copies or clears whole frames, high ones included.
void copy_frame(Frame to, Frame from);
void clear_frame(Frame frame);
