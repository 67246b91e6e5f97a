// Quick fit: blocks of usual sizes are kept as they are when they come back, on a list for each size; a
// request of such a size takes one without a search. When no hole fits, all that is kept becomes holes.
#pragma once

#include "mm/heap/placements/first_fit.hpp"

class QuickFit : public FirstFit {
  public:
    static constexpr uint32_t kQuickMost = 512;  // bytes, header included

    static constexpr std::string_view kName = "quick-fit";
    void* take(uint32_t bytes) override {
        if (Hole* hole = bytes <= kQuickMost ? kept(size_for(bytes)) : nullptr) {
            ++counts_.requests;
            return use(hole->block, bytes);
        }
        return FirstFit::take(bytes);
    }
    void give(void* memory) override {
        Block& block = block_of(memory);
        if (block.size > kQuickMost) return FirstFit::give(memory);
        VERIFY(block.state == State::used);
        uncount_block(block.size, block.requested);
        new (&hole_of(block).node) ListNode;
        keep(hole_of(block));
    }
    HeapArea remove_empty_area() override {
        flush();
        return FirstFit::remove_empty_area();
    }

  protected:
    Hole* choose(uint32_t size) override {
        Hole* hole = FirstFit::choose(size);
        if (hole) return hole;
        flush();
        return FirstFit::choose(size);
    }
    // All that is kept becomes holes: join(block) for each.
    // Lab 10.1: stub { }
    void flush() override {
        for (HoleList& list : kept_)
            while (Hole* hole = list.pop_front()) join(hole->block);
    }

  private:
    // The block of just this size that was kept last, no longer on its list; null: none is kept, or the
    // size is above kQuickMost.
    // Lab 10.1: stub { (void)size; return nullptr; }
    Hole* kept(uint32_t size) {
        return size <= kQuickMost ? kept_[size / kBlockAlignment].pop_front() : nullptr;
    }
    // A block of a usual size came back: it is no hole, and its neighbours are left alone. It goes to the
    // front of its size's list.
    // Lab 10.1: stub { join(hole.block); }
    void keep(Hole& hole) {
        hole.block.state = State::kept;
        kept_[hole.block.size / kBlockAlignment].push_front(hole);
    }

    // By size, in units of kBlockAlignment bytes.
    HoleList kept_[kQuickMost / kBlockAlignment + 1];
};
