// Best fit: the smallest hole that is large enough, so that what is left over is as small as can be.
#pragma once

#include "mm/heap/tagged_heap.hpp"

class BestFit : public TaggedHeap {
  public:
    static constexpr std::string_view kName = "best-fit";

  protected:
    // The smallest hole of at least `size` bytes, the lowest of equals; null: there is none. One of
    // just that size need not be beaten: the search ends.
    // Lab 10.3: stub { Hole* hole = first_hole(); return hole && hole->block.size >= size ? hole : nullptr; }
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
