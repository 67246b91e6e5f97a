// BootMemory: which physical memory is free when the kernel starts: the usable ranges of the
// memory map, less what lies below 1 MiB (firmware's data, and where other CPUs will start), the
// kernel, the boot modules and the frame table. Only frames_init uses it.
// Locks: none; one CPU.
#pragma once

#include "boot/boot_info.hpp"
#include "mm/frames.hpp"

class BootMemory {
  public:
    explicit BootMemory(const BootInfo& info);

    uint32_t end_frame() const;  // one past the last usable frame
    // A cleared table of `entries`, in memory that is taken off the free ranges.
    FrameInfo* place_frame_table(uint32_t entries);
    // All free ranges, as frames, half open, in order.
    void for_each_free_range(void (*visit)(uint32_t first, uint32_t end)) const;

  private:
    struct Taken {
        uint32_t start, end;  // bytes, page-aligned
    };
    void take(uint32_t start, uint32_t end);
    const Taken* overlap(uint64_t start, uint64_t end) const;
    bool find_room(uint32_t bytes, uint32_t& start) const;

    const BootInfo& info_;
    Taken taken_[BootInfoStorage::kModules + 3];
    uint32_t taken_count_ = 0;
};
