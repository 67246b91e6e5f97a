// See heap.hpp. The frames of a placement's areas carry its number, so that an address tells whose
// it is. Debug builds fill new and freed memory, so that stale reads show.
#include "mm/heap.hpp"

#include <algorithm>
#include <array>
#include <new>

#include "kernel/arch/memory_layout.hpp"
#include "kernel/sync/spin_lock.hpp"
#include "mm/frames.hpp"
#include "mm/heap/placement_list.hpp"
#include "mm/heap_owners.hpp"

namespace {

struct FrameSource {
    void* allocate_pages(uint32_t order) {
        // What others than the superuser have the kernel allocate ends before page tables do.
        if (kernel_memory_is_reserved()) return nullptr;
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

constexpr std::string_view kSizeClasses = "size-classes";
constexpr uint32_t kPlacedMost = 8192, kAreaOrder = 4;

constinit IrqSpinLock heap_lock{LockRank::heap};
constinit FrameSource source;
constinit SlabHeap<FrameSource> slabs GUARDED_BY(heap_lock){source};
constinit Placements placements GUARDED_BY(heap_lock){};
constinit Atomic<uint32_t> chosen_placement = 0;  // under lock: a placement's index + 1; 0: slabs
constinit uint32_t area_pages GUARDED_BY(heap_lock) = 0;  // under lock, as what follows
constinit uint32_t allocations GUARDED_BY(heap_lock) = 0;

// Whose area the memory is in: index + 1, or 0.
uint16_t& area_owner(const void* memory) {
    return frame_info(frame_of(to_physical(memory))).table_entries;
}

void mark_area(void* start, uint32_t order, uint32_t owner) {
    for (uint32_t i = 0; i < 1u << order; ++i)
        area_owner(static_cast<char*>(start) + (i << kPageShift)) = static_cast<uint16_t>(owner);
}

bool add_heap_area(Placement& placement, uint32_t bytes) REQUIRES(heap_lock) {
    for (int order = kAreaOrder; order >= 0 && (kPageSize << order) > bytes + kPageSize / 2;
         --order) {
        void* start = source.allocate_pages(static_cast<uint32_t>(order));
        if (!start) continue;
        mark_area(start, static_cast<uint32_t>(order), chosen_placement);
        area_pages += 1u << order;
        placement.add(start, kPageSize << order);
        return true;
    }
    return false;
}

void* allocate_locked(uint32_t bytes) REQUIRES(heap_lock) {
    if (!chosen_placement || bytes > kPlacedMost) return slabs.allocate(bytes);
    Placement& placement = placements.at(chosen_placement - 1);
    void* memory = placement.take(bytes);
    if (!memory && add_heap_area(placement, bytes)) memory = placement.take(bytes);
    if (memory) ++allocations;
    return memory;
}

void fill([[maybe_unused]] void* memory, [[maybe_unused]] int value) {
#ifdef ORRERY_DEBUG
    const uint16_t owner = area_owner(memory);
    __builtin_memset(memory, value,
                     owner ? placements.at(owner - 1u).usable(memory) : slabs.cell_size(memory));
#endif
}

void* allocate(size_t bytes, [[maybe_unused]] void* caller) {
    LockGuard guard(heap_lock);
    void* memory = allocate_locked(static_cast<uint32_t>(bytes));
    if (!memory) return nullptr;
    fill(memory, 0xa5);
    note_owner(memory, static_cast<uint32_t>(bytes), caller);
    return memory;
}

void release(void* memory) {
    if (!memory) return;
    LockGuard guard(heap_lock);
    forget_owner(memory);
    fill(memory, 0xdd);
    if (const uint16_t owner = area_owner(memory))
        placements.at(owner - 1u).give(memory);
    else
        slabs.free(memory);
}

uint32_t trim_heap(uint32_t) {
    LockGuard guard(heap_lock);
    uint32_t freed = slabs.trim();
    for (uint32_t i = 0; i < Placements::kCount; ++i)
        for (HeapArea area; (area = placements.at(i).remove_empty_area()).start;) {
            uint32_t order = 0;
            while ((kPageSize << order) < area.bytes) ++order;
            mark_area(area.start, order, 0);
            area_pages -= 1u << order;
            freed += source.free_pages(area.start);
        }
    return freed;
}
constinit Reclaimer heap_reclaimer{trim_heap};

struct HeapLine {
    std::string_view name;
    HeapFigures figures;
};
HeapLine line_of(uint32_t index) {
    LockGuard guard(heap_lock);
    return {placements.at(index).name(), placements.at(index).figures()};
}

}  // namespace

void heap_init() { add_reclaimer(heap_reclaimer); }

void* operator new(size_t bytes, const std::nothrow_t&) noexcept {
    return allocate(bytes, __builtin_return_address(0));
}
void* operator new[](size_t bytes, const std::nothrow_t&) noexcept {
    return allocate(bytes, __builtin_return_address(0));
}
void operator delete(void* memory) noexcept { release(memory); }
void operator delete[](void* memory) noexcept { release(memory); }
void operator delete(void* memory, size_t) noexcept { release(memory); }
void operator delete[](void* memory, size_t) noexcept { release(memory); }

HeapStatistics heap_statistics() {
    LockGuard guard(heap_lock);
    HeapStatistics sum = slabs.statistics();
    sum.pages += area_pages;
    sum.allocations += allocations;
    for (uint32_t i = 0; i < Placements::kCount; ++i) {
        sum.objects += placements.at(i).counts().blocks;
        sum.bytes += placements.at(i).counts().used;
    }
    return sum;
}

// The size classes stand before the placements.
constexpr std::array<std::string_view, 1 + Placements::kCount> kHeapNames = [] {
    std::array<std::string_view, 1 + Placements::kCount> names{kSizeClasses};
    std::copy_n(Placements::kNames, Placements::kCount, names.begin() + 1);
    return names;
}();
constinit const PolicyChoice kHeapChoice = {"mm.heap", kHeapNames,
                                            [] { return chosen_placement.relaxed(); },
                                            [](uint32_t which) {
                                                LockGuard guard(heap_lock);
                                                chosen_placement = which;
                                            }};

// One line for each that has ever been used; fragmentation in thousandths.
void show_heap(TextSink& to) {
    format_to(to, "{:<13}{:>9} {:>9} {:>9} {:>8} {:>6} {:>9} {:>9} {:>5} {:>5} {:>10} {:>11}\n", "",
              "pages", "bytes", "asked", "objects", "holes", "free", "largest", "int", "ext",
              "requests", "looked at");
    HeapStatistics s;
    {
        LockGuard guard(heap_lock);
        s = slabs.statistics();
    }
    format_to(to, "{:<13}{:>9} {:>9} {:>9} {:>8}\n", kSizeClasses, s.pages, s.bytes, "-",
              s.objects);
    for (uint32_t i = 0; i < Placements::kCount; ++i) {
        const auto [name, f] = line_of(i);
        if (!f.requests) continue;
        format_to(to, "{:<13}{:>9} {:>9} {:>9} {:>8} {:>6} {:>9} {:>9} {:>5} {:>5} {:>10} {:>11}\n",
                  name, f.total / kPageSize, f.used, f.requested, f.blocks, f.holes, f.free,
                  f.largest, f.internal_fragmentation(), f.external_fragmentation(), f.requests,
                  f.searched);
    }
}

// --- the leak check

#ifdef ORRERY_DEBUG
constinit HeapOwners heap_owners{};
void show_heap_owners(TextSink& to) {
    for (uint32_t slot = 0; slot < heap_owners.owner_slots(); ++slot) {
        heap_lock.lock();
        const HeapOwner owner = heap_owners.owner(slot);
        heap_lock.unlock();
        if (owner.total) show_owner(to, owner);
    }
}
Result<void> command_heap_owners(std::string_view command) {
    if (command == "leak") {
        lose_objects();
        return {};
    }
    if (command != "mark") return Errno::inval;
    LockGuard guard(heap_lock);
    heap_owners.mark();
    return {};
}
#else
void show_heap_owners(TextSink&) {}
Result<void> command_heap_owners(std::string_view) { return Errno::opnotsupp; }
#endif
