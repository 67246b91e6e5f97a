// See boot_memory.hpp.
#include "mm/boot_memory.hpp"

#include <algorithm>

#include "kernel/arch/memory_layout.hpp"
#include "kernel/arch/panic.hpp"

namespace {

constexpr uint32_t kFirmwareEnd = 1u << 20;
constexpr uint64_t kPhysicalEnd = uint64_t{1} << 32;

}  // namespace

BootMemory::BootMemory(const BootInfo& info) : info_(info) {
    extern char kernel_start[] asm("__kernel_start"), kernel_end[] asm("__kernel_end");
    take(0, kFirmwareEnd);
    take(to_physical(kernel_start).raw(), to_physical(kernel_end).raw());
    for (const BootModule& module : info.modules) take(module.start, module.end);
}

void BootMemory::take(uint32_t start, uint32_t end) {
    VERIFY(taken_count_ < std::size(taken_));
    taken_[taken_count_++] = {align_down(start, kPageSize), align_up(end, kPageSize)};
}

// The taken range that overlaps and starts first.
const BootMemory::Taken* BootMemory::overlap(uint64_t start, uint64_t end) const {
    const Taken* first = nullptr;
    for (uint32_t i = 0; i < taken_count_; ++i)
        if (taken_[i].start < end && taken_[i].end > start &&
            (!first || taken_[i].start < first->start))
            first = &taken_[i];
    return first;
}

uint32_t BootMemory::end_frame() const {
    uint64_t end = 0;
    for (const MemoryRange& range : info_.memory)
        if (range.usable) end = std::max(end, std::min(range.end(), kPhysicalEnd));
    return static_cast<uint32_t>(end >> kPageShift);
}

bool BootMemory::find_room(uint32_t bytes, uint32_t& start) const {
    for (const MemoryRange& range : info_.memory) {
        uint64_t at = align_up<uint64_t>(range.base, kPageSize);
        const uint64_t end = std::min<uint64_t>(range.end(), kDirectMapLimit);
        while (range.usable && at + bytes <= end) {
            const Taken* obstacle = overlap(at, at + bytes);
            if (!obstacle) {
                start = static_cast<uint32_t>(at);
                return true;
            }
            at = obstacle->end;
        }
    }
    return false;
}

FrameInfo* BootMemory::place_frame_table(uint32_t entries) {
    const uint32_t bytes = entries * sizeof(FrameInfo);
    uint32_t start;
    if (!find_room(bytes, start))
        cannot_start("too little memory beside the kernel and the boot modules");
    take(start, start + bytes);
    void* table = to_virtual(PhysAddr(start));
    __builtin_memset(table, 0, bytes);
    return static_cast<FrameInfo*>(table);
}

void BootMemory::for_each_free_range(void (*visit)(uint32_t first, uint32_t end)) const {
    for (const MemoryRange& range : info_.memory) {
        if (!range.usable) continue;
        uint64_t at = align_up<uint64_t>(range.base, kPageSize);
        const uint64_t end = align_down<uint64_t>(std::min(range.end(), kPhysicalEnd), kPageSize);
        while (at < end) {
            const Taken* obstacle = overlap(at, end);
            const uint64_t stop = obstacle ? std::max<uint64_t>(at, obstacle->start) : end;
            if (at < stop)
                visit(static_cast<uint32_t>(at >> kPageShift),
                      static_cast<uint32_t>(stop >> kPageShift));
            at = obstacle ? obstacle->end : end;
        }
    }
}
