// Worst fit: the largest hole of all, so that what is left over is most likely to be of use.
#pragma once

#include "mm/heap/tagged_heap.hpp"

class WorstFit : public TaggedHeap {
  public:
    static constexpr std::string_view kName = "worst-fit";

  protected:
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
