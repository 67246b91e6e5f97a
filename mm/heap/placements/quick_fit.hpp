// Quick fit: blocks of usual sizes are kept as they are when they come back, on a list for each size; a
// request of such a size takes one without a search. When no hole fits, all that is kept becomes holes.
#pragma once

#include "mm/heap/placements/first_fit.hpp"

class QuickFit : public FirstFit {
  public:
    static constexpr uint32_t kQuickMost = 512;  // bytes, header included

    static constexpr std::string_view kName = "quick-fit";
    void* take(uint32_t bytes) override {
        if (bytes > kQuickMost) return FirstFit::take(bytes);
        const uint32_t size = size_for(bytes);
        if (size <= kQuickMost)
            if (Hole* kept = kept_[size / kBlockAlignment].pop_front()) {
                ++counts_.requests;
                return use(kept->block, bytes);
            }
        return FirstFit::take(bytes);
    }
    void give(void* memory) override {
        Block& block = block_of(memory);
        if (block.size > kQuickMost) return FirstFit::give(memory);
        VERIFY(block.state == State::used);
        uncount_block(block.size, block.requested);
        block.state = State::kept;
        Hole& hole = hole_of(block);
        new (&hole.node) ListNode;
        kept_[block.size / kBlockAlignment].push_front(hole);
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
    void flush() override {
        for (HoleList& list : kept_)
            while (Hole* hole = list.pop_front()) join(hole->block);
    }

  private:
    HoleList kept_[kQuickMost / kBlockAlignment + 1];
};
