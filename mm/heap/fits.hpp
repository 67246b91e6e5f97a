// The fits: which hole a request gets. See tagged_heap.hpp for the rest.
#pragma once

#include "mm/heap/tagged_heap.hpp"

// The first in order of addresses that is large enough.
class FirstFit : public TaggedHeap {
  public:
    std::string_view name() const override { return "first-fit"; }

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

// The same, from where the last search ended.
class NextFit final : public TaggedHeap {
  public:
    std::string_view name() const override { return "next-fit"; }

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

// The smallest that is large enough: what is left over is as small as can be.
class BestFit final : public TaggedHeap {
  public:
    std::string_view name() const override { return "best-fit"; }

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

// The largest of all: what is left over is most likely to be of use.
class WorstFit final : public TaggedHeap {
  public:
    std::string_view name() const override { return "worst-fit"; }

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

// Blocks of usual sizes are kept as they are when they come back, on a list for each size; a request
// of such a size takes one without a search. When no hole fits, all that is kept becomes holes.
class QuickFit final : public FirstFit {
  public:
    static constexpr uint32_t kQuickMost = 512;  // bytes, header included

    std::string_view name() const override { return "quick-fit"; }
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
