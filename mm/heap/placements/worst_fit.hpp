// Worst fit: the largest hole of all, so that what is left over is most likely to be of use.
#pragma once

#include "mm/heap/tagged_heap.hpp"

class WorstFit : public TaggedHeap {
  public:
    static constexpr std::string_view kName = "worst-fit";

  protected:
    // The largest hole, the lowest of equals; null: that is smaller than `size` bytes, or there is none.
    // Lab 10.3: stub { Hole* hole = first_hole(); return hole && hole->block.size >= size ? hole : nullptr; }
    Hole* choose(uint32_t size) override {
        Hole* worst = nullptr;
        for_each_hole([&](Hole& hole) {
            if (hole.block.size >= size && (!worst || hole.block.size > worst->block.size))
                worst = &hole;
            return true;
        });
        return worst;
    }
};
