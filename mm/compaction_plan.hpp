// Which block of memory compaction empties next. Pure: what each frame is used for in, a block out.
// A block is 2^order frames at a multiple of that; only one without fixed frames can be emptied, and
// its pages must find room in fragments, not in blocks that are free already.
// Locks: none; the owner guards it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

enum class FrameUse : uint8_t { fixed, free, movable };

struct CompactionBlock {
    uint32_t first = 0, free = 0, movable = 0;  // frames
};

// `visit(block)` for each whole block that has no fixed frame.
template <typename F>
void for_each_block(std::span<const FrameUse> uses, uint32_t order, F&& visit) {
    const uint32_t frames = 1u << order;
    for (uint32_t first = 0; first + frames <= uses.size(); first += frames) {
        CompactionBlock block{.first = first};
        for (const FrameUse use : uses.subspan(first, frames)) {
            block.free += use == FrameUse::free;
            block.movable += use == FrameUse::movable;
        }
        if (block.free + block.movable == frames) visit(block);
    }
}

// The one with the fewest pages to move; none if that gains nothing.
inline std::optional<CompactionBlock> choose_block(std::span<const FrameUse> uses, uint32_t order) {
    uint32_t fragments = 0;
    for (const FrameUse use : uses) fragments += use == FrameUse::free;
    std::optional<CompactionBlock> best;
    for_each_block(uses, order, [&](const CompactionBlock& block) {
        if (!block.movable)
            fragments -= block.free;
        else if (!best || block.movable < best->movable)
            best = block;
    });
    if (best && best->movable > fragments - best->free) return std::nullopt;
    return best;
}
