// The last pass: bitmaps and the sums of free ones, as the passes before found them. See repair.hpp.
#include <algorithm>

#include "fs/ext2/repair.hpp"
#include "kernel/lib/preemption.hpp"

namespace ext2 {

// Bits beyond `bits` are set, as the format asks. How many are clear.
Result<uint32_t> Repair::check_bitmap(uint32_t block, uint32_t bits, const SparseBits& wanted,
                                      uint32_t first) {
    const MetadataBlock held = TRY(fs_.metadata(block));
    uint32_t clear = 0;
    bool changed = false;
    for (uint32_t at = 0; at < 8 * g_.block_size(); at += 8) {
        uint8_t byte = 0;
        for (uint32_t i = 0; i < 8; ++i) {
            const bool set = at + i >= bits || wanted.test(first + at + i);
            byte = static_cast<uint8_t>(byte | set << i);
            clear += !set;
        }
        changed |= std::exchange(held.bytes()[at / 8], byte) != byte;
    }
    if (changed) TRY(write(block, held.bytes()));
    return clear;
}

Result<void> Repair::check_bitmaps() {
    for (uint32_t i = 0; i < g_.groups; ++i) {
        const Ext2::HeldDescriptor info = TRY(fs_.descriptor(i));
        GroupDescriptor found = *info.descriptor;
        const uint32_t first_block = i * g_.blocks_per_group;
        const uint32_t blocks =
            std::min(g_.blocks_per_group, g_.blocks_count - g_.first_data_block - first_block);
        const uint32_t first_inode = i * g_.inodes_per_group + 1;
        const uint32_t free_blocks =
            TRY(check_bitmap(found.block_bitmap, blocks, blocks_, first_block));
        const uint32_t free_inodes =
            TRY(check_bitmap(found.inode_bitmap, g_.inodes_per_group, inodes_, first_inode));
        found.free_blocks_count = static_cast<uint16_t>(free_blocks);
        found.free_inodes_count = static_cast<uint16_t>(free_inodes);
        const auto is_here = [&](uint32_t number) {
            return number - first_inode < g_.inodes_per_group;
        };
        found.directories_count = static_cast<uint16_t>(
            std::count_if(directories_.begin(), directories_.end(),
                          [&](const Directory& d) { return is_here(d.number); }) +
            std::count_if(nameless_directories_.begin(), nameless_directories_.end(), is_here));
        free_blocks_ += free_blocks;
        free_inodes_ += free_inodes;
        if (__builtin_memcmp(&found, info.descriptor, sizeof found) != 0) {
            *info.descriptor = found;
            const uint32_t at = i * sizeof(GroupDescriptor) & (g_.block_size() - 1);
            TRY(write(info.block, reinterpret_cast<const uint8_t*>(info.descriptor) - at));
        }
        preemption_point();
    }
    return {};
}

}  // namespace ext2
