// Next fit: first fit, from where the last search ended.
#pragma once

#include "mm/heap/tagged_heap.hpp"

class NextFit : public TaggedHeap {
  public:
    static constexpr std::string_view kName = "next-fit";

  protected:
    // The first hole of at least `size` bytes from hand_ on (null: from the lowest), once round all of
    // them; the hand stays at it. Null, and the hand stays where it was: there is none.
    // Lab 10.2: stub { Hole* hole = first_hole(); return hole && hole->block.size >= size ? hole : nullptr; }
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
    // A hole is about to leave the list. A hand that is at it moves on: to what remains of the hole
    // (`instead`), else to the next hole; null, if it was the only one.
    // Lab 10.2: stub { (void)hole; (void)instead; }
    void leaving(Hole& hole, Hole* instead) override {
        if (hand_ != &hole) return;
        Hole* next = instead ? instead : next_hole(hole);
        hand_ = next == &hole ? nullptr : next;
    }

  private:
    Hole* hand_ = nullptr;
};
