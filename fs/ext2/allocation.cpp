// Which blocks are used (a bitmap for each group), and finding free ones: behind the file's previous
// block; a file's first blocks where eight in a row are free. What is freed can be used again after
// the next checkpoint (freed.cpp). See ext2.hpp.
#include <algorithm>

#include "fs/ext2/ext2.hpp"
#include "fs/free_space/free_bitmap.hpp"
#include "kernel/lib/log.hpp"

namespace ext2 {

uint32_t Ext2::blocks_in_group(uint32_t group) const {
    const uint32_t first = first_block_of_group(group);
    return std::min(geometry_.blocks_per_group, geometry_.blocks_count - first);
}

Result<Extent> Ext2::allocate_in_group(uint32_t group, uint32_t from, uint32_t wanted, bool roomy) {
    constexpr uint32_t kRoomy = 8;
    HeldDescriptor group_info = TRY(descriptor(group));
    if (group_info.descriptor->free_blocks_count == 0) return Errno::nospc;
    MetadataBlock held = TRY(metadata(group_info.descriptor->block_bitmap));
    Bitmap bits = bitmap_of(held, blocks_in_group(group));
    const uint32_t base = first_block_of_group(group);
    const std::optional<BlockRun> run =
        find_run(bits, from, wanted, roomy ? kRoomy : 1, [&](uint32_t at) {
            const Extent next = reserved_behind(base + at);
            if (next.first >= base + bits.size()) return BlockRun{};
            return BlockRun{next.first - base, next.count};
        });
    if (!run) return Errno::nospc;
    const uint32_t count = std::min<uint32_t>(run->count, group_info.descriptor->free_blocks_count);
    const uint32_t first = base + run->first;
    // A bitmap that offers the group's own metadata is damaged.
    const GroupDescriptor& d = *group_info.descriptor;
    const uint32_t table = d.inode_table;
    const uint32_t table_blocks =
        (geometry_.inodes_per_group * geometry_.inode_size) >> geometry_.block_shift;
    auto hits = [&](uint32_t start, uint32_t length) {
        return start < first + count && first < start + length;
    };
    if (hits(d.block_bitmap, 1) || hits(d.inode_bitmap, 1) || hits(table, table_blocks)) {
        log_error("ext2: {}: block bitmap of group {} is damaged", device_name(), group);
        note_error();
        return Errno::io;
    }
    take(group_info, bits, run->first, count);
    return Extent{first, count};
}

void Ext2::take(HeldDescriptor& group, Bitmap bits, uint32_t at, uint32_t count) {
    GroupDescriptor& d = *group.descriptor;
    bits.set_range(at, count);
    d.free_blocks_count -= static_cast<uint16_t>(std::min<uint32_t>(d.free_blocks_count, count));
    free_blocks_ = free_blocks_ - std::min<uint32_t>(free_blocks_, count);
    touch(d.block_bitmap, Kind::map);
    touch(group.block, Kind::map);
    super_changed_ = true;
}

// The goal and what follows it; any place in its group, then in the others.
Result<Extent> Ext2::allocate_blocks(uint32_t goal, uint32_t wanted) {
    if (goal < geometry_.first_data_block || goal >= geometry_.blocks_count)
        goal = geometry_.first_data_block;
    const uint32_t start = (goal - geometry_.first_data_block) / geometry_.blocks_per_group;
    const uint32_t offset = (goal - geometry_.first_data_block) % geometry_.blocks_per_group;
    {
        Result<HeldDescriptor> info = descriptor(start);
        if (info.is_ok() && info.value().descriptor->free_blocks_count) {
            MetadataBlock held = TRY(metadata(info.value().descriptor->block_bitmap));
            const bool free = !bitmap_of(held, blocks_in_group(start)).test(offset) &&
                              reserved_behind(goal).first > goal;
            Result<Extent> here = allocate_in_group(start, offset, wanted, !free);
            if (here.is_ok() || here.error() != Errno::nospc) return here;
        }
    }
    for (bool roomy : {true, false}) {
        if (!roomy) drop_reservations();
        for (uint32_t i = 0; i < geometry_.groups; ++i) {
            Result<Extent> found =
                allocate_in_group((start + i) % geometry_.groups, 0, wanted, roomy);
            if (found.is_ok() || found.error() != Errno::nospc) return found;
        }
    }
    return Errno::nospc;
}

void Ext2::free_blocks(uint32_t first, uint32_t count) {
    pending_block_count_ = pending_block_count_ + count;
    if (!pending_blocks_.empty()) {
        Extent& last = pending_blocks_.back();
        if (last.first + last.count == first) {
            last.count += count;
            return;
        }
        if (first + count == last.first) {
            last = {first, last.count + count};
            return;
        }
    }
    if (pending_blocks_.push_back({first, count}).is_error()) note_error();  // lost until e2fsck
}

}  // namespace ext2
