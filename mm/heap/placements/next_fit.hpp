// Next fit: first fit, from where the last search ended.
#pragma once

#include "mm/heap/tagged_heap.hpp"

class NextFit : public TaggedHeap {
  public:
    static constexpr std::string_view kName = "next-fit";

  protected:
    Hole* choose(uint32_t size) override {
        Hole* const start = hand_ ? hand_ : first_hole();
        for (Hole* hole = start; hole;) {
            ++counts_.searched;
            if (hole->block.size >= size) return hand_ = hole;
            hole = next_hole(*hole);
            if (hole == start) break;
        }
        return nullptr;
    }
    void leaving(Hole& hole, Hole* instead) override {
        if (hand_ != &hole) return;
        Hole* next = instead ? instead : next_hole(hole);
        hand_ = next == &hole ? nullptr : next;
    }

  private:
    Hole* hand_ = nullptr;
};
