// First fit: the first hole in order of addresses that is large enough.
#pragma once

#include "mm/heap/tagged_heap.hpp"

class FirstFit : public TaggedHeap {
  public:
    static constexpr std::string_view kName = "first-fit";

  protected:
    // The lowest hole of at least `size` bytes; null: there is none. for_each_hole(visit) goes through
    // them in order of addresses, until visit(hole) says false.
    // Lab 10.1: stub { Hole* hole = first_hole(); return hole && hole->block.size >= size ? hole : nullptr; }
    Hole* choose(uint32_t size) override {
        Hole* found = nullptr;
        for_each_hole([&](Hole& hole) {
            if (hole.block.size >= size) found = &hole;
            return !found;
        });
        return found;
    }
};
