// The list of placements, one instance of each. One exists for mm.heap=, /proc/sys/vm/heap, lab-heap
// and the tests by standing in this list.
#pragma once

#include "mm/heap/buddy_heap.hpp"
#include "mm/heap/fits.hpp"

class PlacementSet {
  public:
    constexpr PlacementSet() = default;

    static constexpr uint32_t kCount = 6;
    Placement& at(uint32_t index) {
        Placement* const all[kCount] = {&first_, &next_, &best_, &worst_, &quick_, &buddy_};
        return *all[index];
    }
    TaggedHeap* compactable(uint32_t index) {  // null: blocks of that one stay where they are
        TaggedHeap* const all[kCount] = {&first_, &next_, &best_, &worst_, &quick_, nullptr};
        return all[index];
    }

  private:
    FirstFit first_{};
    NextFit next_{};
    BestFit best_{};
    WorstFit worst_{};
    QuickFit quick_{};
    BuddyHeap buddy_{};
};
