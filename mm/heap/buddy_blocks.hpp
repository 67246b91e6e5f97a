// The blocks of the buddy system: each has a header, also while it is free. Used by placements/buddy.hpp.
#pragma once

#include "mm/heap/placement.hpp"

struct BuddyBlocks {
    static constexpr uint8_t kMagic = 0xbd;
    struct Block {
        uint8_t order = 0, area_order = 0;
        bool free = false;
        uint8_t magic = kMagic;
        uint32_t requested = 0;
        ListNode area{};  // of an area's first block
    };
    struct Hole {
        Block block;
        ListNode node;
    };
    static constexpr uint32_t kHead = round_to_block(sizeof(Block));

    static uint32_t order_for(uint32_t bytes) {
        uint32_t order = 6;  // holds a hole's links on any machine
        while (1u << order < bytes) ++order;
        return order;
    }
    static Block& block_of(void* memory) {
        return *reinterpret_cast<Block*>(static_cast<char*>(memory) - kHead);
    }
    static Hole& hole_of(Block& block) { return *reinterpret_cast<Hole*>(&block); }
    // An area is aligned to its size, so the addresses tell.
    static Block* buddy_of(Block& block) {
        return reinterpret_cast<Block*>(reinterpret_cast<uintptr_t>(&block) ^
                                        (uintptr_t{1} << block.order));
    }
};
