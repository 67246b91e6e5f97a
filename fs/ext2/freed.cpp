// What a checkpoint does with blocks and inodes that were freed: only now may they be used again,
// because now no record on the disk refers to them. See checkpoint.cpp.
#include <algorithm>

#include "fs/ext2/ext2.hpp"
#include "fs/free_space/free_bitmap.hpp"
#include "kernel/lib/log.hpp"

namespace ext2 {

Result<void> Ext2::clear_blocks(const Extent& extent) {
    for (uint32_t first = extent.first, left = extent.count; left;) {
        const uint32_t group = (first - geometry_.first_data_block) / geometry_.blocks_per_group;
        const uint32_t at = first - first_block_of_group(group);
        const uint32_t count = std::min(left, blocks_in_group(group) - at);
        HeldDescriptor info = TRY(descriptor(group));
        MetadataBlock held = TRY(metadata(info.descriptor->block_bitmap));
        Bitmap bits = bitmap_of(held, blocks_in_group(group));
        uint32_t cleared = 0;
        for (uint32_t i = at; i < at + count; ++i) cleared += bits.test(i);
        bits.set_range(at, count, false);
        if (cleared != count) {
            log_error("ext2: {}: freed blocks of group {} were free already", device_name(), group);
            note_error();
        }
        info.descriptor->free_blocks_count += static_cast<uint16_t>(cleared);
        free_blocks_ = free_blocks_ + cleared;
        touch(info.descriptor->block_bitmap, Kind::map);
        touch(info.block, Kind::map);
        first += count;
        left -= count;
    }
    super_changed_ = true;
    return {};
}

Result<void> Ext2::clear_inode(uint32_t number, bool directory) {
    HeldDescriptor info = TRY(descriptor(group_of(InodeNo(number))));
    GroupDescriptor& d = *info.descriptor;
    MetadataBlock held = TRY(metadata(d.inode_bitmap));
    Bitmap bits = bitmap_of(held, geometry_.inodes_per_group);
    const uint32_t at = (number - 1) % geometry_.inodes_per_group;
    if (!bits.test(at)) note_error();
    bits.set(at, false);
    ++d.free_inodes_count;
    if (directory && d.directories_count) --d.directories_count;
    ++free_inodes_;
    touch(d.inode_bitmap, Kind::map);
    touch(info.block, Kind::map);
    super_changed_ = true;
    return {};
}

void Ext2::commit_frees() {
    for (const Extent& extent : pending_blocks_)
        if (clear_blocks(extent).is_error()) note_error();
    for (const FreshInode& inode : pending_inodes_)
        if (clear_inode(inode.number, inode.directory).is_error()) note_error();
    pending_blocks_.clear();
    pending_inodes_.clear();
    pending_block_count_ = 0;
}

}  // namespace ext2
