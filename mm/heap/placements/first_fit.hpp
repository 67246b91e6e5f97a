// First fit: the first hole in order of addresses that is large enough.
#pragma once

#include "mm/heap/tagged_heap.hpp"

class FirstFit : public TaggedHeap {
  public:
    static constexpr std::string_view kName = "first-fit";

  protected:
    Hole* choose(uint32_t size) override {
        Hole* found = nullptr;
        for_each_hole([&](Hole& hole) {
            if (hole.block.size >= size) found = &hole;
            return !found;
        });
        return found;
    }
};
