// See heap.hpp. Debug builds fill new and freed cells, so that stale reads show.
#include "mm/heap.hpp"

#include <new>

#include "kernel/arch/memory_layout.hpp"
#include "kernel/sync/spin_lock.hpp"
#include "mm/frames.hpp"

namespace {

struct FrameSource {
    void* allocate_pages(uint32_t order) {
        Result<Frame> frame = allocate_frames(order, Zone::low);
        return frame.is_ok() ? to_virtual(frame.value()) : nullptr;
    }
    uint32_t free_pages(void* pages) {
        const Frame frame = frame_of(to_physical(pages));
        const uint32_t order = frame_info(frame).order;
        free_frames(frame, order);
        return 1u << order;
    }
};

constinit IrqSpinLock lock{LockRank::heap};
constinit FrameSource source;
constinit SlabHeap<FrameSource> heap{source};  // under lock

void poison([[maybe_unused]] void* memory, [[maybe_unused]] int value) {
#ifdef ORRERY_DEBUG
    __builtin_memset(memory, value, heap.cell_size(memory));
#endif
}

void* allocate(size_t bytes) {
    LockGuard guard(lock);
    void* memory = heap.allocate(static_cast<uint32_t>(bytes));
    if (memory) poison(memory, 0xa5);
    return memory;
}

void release(void* memory) {
    if (!memory) return;
    LockGuard guard(lock);
    poison(memory, 0xdd);
    heap.free(memory);
}

uint32_t trim_heap(uint32_t) {
    LockGuard guard(lock);
    return heap.trim();
}
constinit Reclaimer reclaimer{trim_heap};

}  // namespace

void heap_init() { add_reclaimer(reclaimer); }

void* operator new(size_t bytes, const std::nothrow_t&) noexcept { return allocate(bytes); }
void* operator new[](size_t bytes, const std::nothrow_t&) noexcept { return allocate(bytes); }
void operator delete(void* memory) noexcept { release(memory); }
void operator delete[](void* memory) noexcept { release(memory); }
void operator delete(void* memory, size_t) noexcept { release(memory); }
void operator delete[](void* memory, size_t) noexcept { release(memory); }

HeapStatistics heap_statistics() {
    LockGuard guard(lock);
    return heap.statistics();
}
