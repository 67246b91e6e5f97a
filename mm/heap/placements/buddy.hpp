// Buddy system: blocks of 2^k bytes at multiples of their size. A block too large is split into two
// buddies; a block given back joins its buddy while that is free. Every block has a header, also
// while it is free; the first one of an area links the areas.
// Spec: Knuth, The Art of Computer Programming, vol. 1, 2.5 (buddy system).
#pragma once

#include <new>

#include "mm/heap/buddy_blocks.hpp"

class BuddyHeap : public Placement, protected BuddyBlocks {
  public:
    static constexpr std::string_view kName = "buddy";

    void add(void* start, uint32_t bytes) override {
        const uint32_t order = order_for(bytes);
        VERIFY(1u << order == bytes && !(reinterpret_cast<uintptr_t>(start) & (bytes - 1)));
        Block& block = *new (start) Block;
        block.order = block.area_order = static_cast<uint8_t>(order);
        areas_.push_back(block);
        count_area(bytes);
        put(block);
    }

    void* take(uint32_t bytes) override {
        ++counts_.requests;
        if (bytes > 1u << 30) return nullptr;
        const uint32_t order = order_for(bytes + kHead);
        const uint32_t found = smallest_fit(order);
        if (found >= kOrders) {
            ++counts_.failed;
            return nullptr;
        }
        Block& block = free_[found].pop_front()->block;
        split(block, order);
        block.free = false;
        block.requested = bytes;
        count_block(1u << block.order, bytes);
        return reinterpret_cast<char*>(&block) + kHead;
    }

    void give(void* memory) override {
        Block* block = &block_of(memory);
        VERIFY(block->magic == kMagic && !block->free);
        uncount_block(1u << block->order, block->requested);
        const uint32_t order = block->order;
        Block& whole = join(*block);
        count_merge(whole.order > order, whole.order > order);
        put(whole);
    }

    uint32_t usable(const void* memory) const override {
        return (1u << block_of(const_cast<void*>(memory)).order) - kHead;
    }

    HeapArea remove_empty_area() override {
        for (Block& block : areas_) {
            if (!block.free || block.order != block.area_order) continue;
            hole_of(block).node.unlink();
            block.area.unlink();
            uncount_area(1u << block.order);
            return {&block, 1u << block.order};
        }
        return {};
    }

    void visit(HeapVisitor& visitor) override {
        for (Block& first : areas_) {
            auto* at = reinterpret_cast<char*>(&first);
            char* const end = at + (1u << first.area_order);
            while (at < end) {
                const Block& block = *reinterpret_cast<Block*>(at);
                visitor.visit({at + kHead, 1u << block.order, block.free});
                at += 1u << block.order;
            }
        }
    }

  private:
    static constexpr uint32_t kOrders = 31;

    // The lowest order from `order` on that has a free block; kOrders: none has.
    uint32_t smallest_fit(uint32_t order) {
        while (order < kOrders && free_[order].empty()) ++order, ++counts_.searched;
        return order;
    }

    // Halves a block, which is on no list, until it is of this order: its lower half goes on, its upper
    // half becomes a block of its own, with the same area_order, and is put() on the list of its order.
    // Lab 10.6: stub { (void)block; (void)order; }
    void split(Block& block, uint32_t order) {
        while (block.order > order) {
            --block.order;
            Block& upper = *new (buddy_of(block)) Block;
            upper.order = block.order;
            upper.area_order = block.area_order;
            put(upper);
        }
    }

    // A block, which is on no list, joins its buddy while that is free as a whole, up to the whole area;
    // the buddy leaves its list. The lower of the two goes on, with the next order; of the upper,
    // `magic` becomes 0, for nothing begins there any more. Returns the block that results.
    // Lab 10.6: stub { return block; }
    Block& join(Block& block) {
        Block* low = &block;
        while (low->order < low->area_order) {
            Block* buddy = buddy_of(*low);
            if (!buddy->free || buddy->order != low->order) break;
            hole_of(*buddy).node.unlink();
            Block* upper = buddy < low ? low : buddy;
            if (buddy < low) low = buddy;
            upper->magic = 0;
            ++low->order;
        }
        return *low;
    }

    void put(Block& block) {
        block.free = true;
        Hole& hole = hole_of(block);
        new (&hole.node) ListNode;
        free_[block.order].push_front(hole);
    }

    List<Block, &Block::area> areas_;
    List<Hole, &Hole::node> free_[kOrders];
};
