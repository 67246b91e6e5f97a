// See virtual_area.hpp. A few stacks of ended threads are kept mapped for the next ones.
#include "mm/virtual_area.hpp"

#include <algorithm>
#include <utility>

#include "kernel/lib/bitmap.hpp"
#include "kernel/sched/thread.hpp"
#include "kernel/sync/spin_lock.hpp"
#include "mm/frames.hpp"
#include "mm/kernel_map.hpp"

namespace {

constexpr uint32_t kAreaPagesMost = (kVirtualAreaEnd.raw() - kVirtualAreaStart.raw()) >> kPageShift;
constexpr uint32_t kSpareStacksMost = 16;
constexpr uint32_t kMemoryFlags = kEntryPresent | kEntryWritable | kEntryGlobal;

constinit SpinLock area_lock{LockRank::virtual_area};
constinit uint32_t reserved_words[kAreaPagesMost / 32] = {};  // one bit a page, guards included
constinit Bitmap reserved GUARDED_BY(area_lock){reserved_words, 0};
constinit uint32_t search_from GUARDED_BY(area_lock) = 0;
constinit VirtAddr spare_stacks[kSpareStacksMost] GUARDED_BY(area_lock) = {};
constinit uint32_t spare_stack_count GUARDED_BY(area_lock) = 0;

VirtAddr page_address(uint32_t index) { return kVirtualAreaStart + (index << kPageShift); }
uint32_t page_index(VirtAddr address) { return (address - kVirtualAreaStart) >> kPageShift; }

// `pages` unmapped pages, above a guard page.
Result<VirtAddr> reserve_pages(uint32_t pages) {
    LockGuard guard(area_lock);
    if (pages >= reserved.size()) return Errno::nomem;
    std::optional<uint32_t> first = reserved.find_clear_run(pages + 1, search_from);
    if (!first) first = reserved.find_clear_run(pages + 1);
    if (!first) return Errno::nomem;
    reserved.set_range(*first, pages + 1);
    search_from = *first + pages + 1;
    return page_address(*first + 1);
}

void release_pages(VirtAddr start, uint32_t pages) {
    LockGuard guard(area_lock);
    reserved.set_range(page_index(start) - 1, pages + 1, false);
}

void unmap_memory(VirtAddr start, uint32_t pages) {
    while (pages > 0) {
        Frame frames[32];
        const uint32_t batch = std::min<uint32_t>(pages, std::size(frames));
        for (uint32_t i = 0; i < batch; ++i)
            frames[i] = std::exchange(kernel_page_entry(start + (i << kPageShift)), {}).frame();
        flush_kernel_range(start, start + (batch << kPageShift));
        for (uint32_t i = 0; i < batch; ++i) put_frame(frames[i]);
        start += batch << kPageShift;
        pages -= batch;
    }
}

Result<VirtAddr> map_memory(uint32_t pages, Zone zone) {
    const VirtAddr start = TRY(reserve_pages(pages));
    for (uint32_t i = 0; i < pages; ++i) {
        Result<Frame> frame = zone == Zone::low ? allocate_kernel_frame() : allocate_frame(zone);
        if (frame.is_error()) {
            unmap_memory(start, i);
            release_pages(start, pages);
            return Errno::nomem;
        }
        kernel_page_entry(start + (i << kPageShift)) = PageEntry::make(frame.value(), kMemoryFlags);
    }
    return start;
}

VirtAddr take_spare_stack() REQUIRES(area_lock) {  // there is one
    note_spare_frames(-static_cast<int32_t>(kKernelStackPages));
    return spare_stacks[--spare_stack_count];
}

Result<VirtAddr> allocate_stack() {
    {
        LockGuard guard(area_lock);
        if (spare_stack_count > 0) return take_spare_stack();
    }
    return map_memory(kKernelStackPages, Zone::low);
}

void destroy_stack(VirtAddr bottom) {
    unmap_memory(bottom, kKernelStackPages);
    release_pages(bottom, kKernelStackPages);
}

void release_stack(VirtAddr bottom) {
    {
        LockGuard guard(area_lock);
        if (spare_stack_count < kSpareStacksMost) {
            spare_stacks[spare_stack_count++] = bottom;
            return note_spare_frames(kKernelStackPages);
        }
    }
    destroy_stack(bottom);
}

uint32_t reclaim_stacks(uint32_t) {
    VirtAddr unused[kSpareStacksMost];
    uint32_t count = 0;
    {
        LockGuard guard(area_lock);
        while (spare_stack_count > 0) unused[count++] = take_spare_stack();
    }
    for (uint32_t i = 0; i < count; ++i) destroy_stack(unused[i]);
    return count * kKernelStackPages;
}

constinit Reclaimer stack_reclaimer{reclaim_stacks};

}  // namespace

void virtual_area_init() NO_LOCK_ANALYSIS {  // at start-up
    reserved = Bitmap(reserved_words, page_index(virtual_area_end()));
    install_stack_source({allocate_stack, release_stack});
    add_reclaimer(stack_reclaimer);
}

Result<void*> map_device(PhysAddr start, uint32_t bytes, Caching caching) {
    const uint32_t offset = start.raw() & kPageMask;
    const uint32_t pages = pages_for(offset + bytes);
    const uint32_t flags = caching == Caching::on
                               ? kMemoryFlags
                               : kMemoryFlags | kEntryCacheDisable | kEntryWriteThrough;
    const VirtAddr address = TRY(reserve_pages(pages));
    for (uint32_t i = 0; i < pages; ++i)
        kernel_page_entry(address + (i << kPageShift)) =
            PageEntry::make(frame_of(start) + i, flags);
    return reinterpret_cast<void*>(address.raw() + offset);
}

Result<void*> allocate_wide(uint32_t bytes) {
    const VirtAddr start = TRY(map_memory(pages_for(bytes), Zone::any));
    return reinterpret_cast<void*>(start.raw());
}

void free_wide(void* memory, uint32_t bytes) {
    const VirtAddr start(static_cast<uint32_t>(reinterpret_cast<uintptr_t>(memory)));
    unmap_memory(start, pages_for(bytes));
    release_pages(start, pages_for(bytes));
}

bool is_stack_guard(VirtAddr address) NO_LOCK_ANALYSIS {
    if (address < kVirtualAreaStart || address >= virtual_area_end()) return false;
    // No lock: a panic asks.
    return reserved.test(page_index(address)) && !kernel_page_entry(address).present();
}
