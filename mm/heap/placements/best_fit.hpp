// Best fit: the smallest hole that is large enough, so that what is left over is as small as can be.
#pragma once

#include "mm/heap/tagged_heap.hpp"

class BestFit : public TaggedHeap {
  public:
    static constexpr std::string_view kName = "best-fit";

  protected:
    Hole* choose(uint32_t size) override {
        Hole* best = nullptr;
        for_each_hole([&](Hole& hole) {
            if (hole.block.size >= size && (!best || hole.block.size < best->block.size))
                best = &hole;
            return !best || best->block.size > size;
        });
        return best;
    }
};
