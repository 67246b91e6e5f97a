// The same requests to the kernel's own heap (mm/heap), in bytes: what headers and rounding add to
// the textbook's sums. Single and fixed partitions have no counterpart there.
#pragma once

#include <bit>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>

#include "mm/heap/placement_list.hpp"

class KernelHeap {
  public:
    // `name`: of a placement; another one makes a heap that takes nothing.
    KernelHeap(std::string_view name, uint32_t bytes) {
        while (index_ < Placements::kCount && set_.at(index_).name() != name) ++index_;
        if (!exists()) return;
        const uint32_t room = std::bit_ceil(bytes);
        area_ = std::aligned_alloc(room, room);
        set_.at(index_).add(area_, name == "buddy" ? room : bytes);
    }
    ~KernelHeap() { std::free(area_); }
    KernelHeap(const KernelHeap&) = delete;
    KernelHeap& operator=(const KernelHeap&) = delete;

    bool exists() const { return index_ < Placements::kCount; }
    void take(const std::string& owner, uint32_t bytes) {
        if (!exists()) return;
        if (void* memory = set_.at(index_).take(bytes)) blocks_[owner] = memory;
    }
    void give(const std::string& owner) {
        const auto found = blocks_.find(owner);
        if (found == blocks_.end()) return;
        set_.at(index_).give(found->second);
        blocks_.erase(found);
    }
    void compact() {
        if (!exists() || !set_.at(index_).compactable()) return;
        set_.at(index_).compactable()->compact([&](void* from, void* to) {
            for (auto& [owner, block] : blocks_)
                if (block == from) block = to;
        });
    }
    HeapFigures figures() { return set_.at(index_).figures(); }

  private:
    Placements set_;
    uint32_t index_ = 0;
    void* area_ = nullptr;
    std::map<std::string, void*> blocks_;
};
