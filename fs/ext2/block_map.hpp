// Where the pointer to a file's block stands: the way from the inode through index blocks.
//
//   inode  block[0..11] -> data
//          block[12] -> [p pointers] -> data
//          block[13] -> [p] -> [p] -> data
//          block[14] -> [p] -> [p] -> [p] -> data          p = block size / 4
//
// Pure: numbers in, numbers out.
#pragma once

#include <cstdint>
#include <optional>

#include "fs/ext2/layout.hpp"

namespace ext2 {

struct BlockPath {
    uint32_t levels;    // index blocks on the way: 0 to 3
    uint32_t index[4];  // [0]: in the inode; then in each index block; [levels]: the data's pointer
    uint32_t left;      // pointers from the last one on to the end of its array
};

// Nothing for a block that no path reaches. `pointer_bits`: log2 of p.
// Lab 13.1: stub { const uint32_t p = 1u << pointer_bits; if (block < 12) return BlockPath{0, {block}, 12 - block}; if (block - 12 < p) return BlockPath{1, {12, block - 12}, p + 12 - block}; return std::nullopt; }
constexpr std::optional<BlockPath> block_path(uint32_t block, uint32_t pointer_bits) {
    const uint32_t p = 1u << pointer_bits;
    if (block < kDirectBlocks) return BlockPath{0, {block}, kDirectBlocks - block};
    block -= kDirectBlocks;
    for (uint32_t levels = 1; levels <= 3; ++levels) {
        const uint64_t reach = uint64_t{1} << (levels * pointer_bits);
        if (block < reach) {
            BlockPath path{levels, {kDirectBlocks + levels - 1}, 0};
            for (uint32_t i = 1; i <= levels; ++i)
                path.index[i] = (block >> ((levels - i) * pointer_bits)) & (p - 1);
            path.left = p - path.index[levels];
            return path;
        }
        block -= static_cast<uint32_t>(reach);
    }
    return std::nullopt;
}

}  // namespace ext2
