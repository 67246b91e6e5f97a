// From blocks of a file to blocks of the disk: looking them up, and finding new ones. Giving them
// back: block_free.cpp.
// See block_map.hpp for the shape of the tree, inode.hpp for the locks.
#include "fs/ext2/block_map.hpp"

#include <algorithm>

#include "fs/ext2/ext2.hpp"

namespace ext2 {

Result<Ext2Inode::Run> Ext2Inode::map(uint32_t block, uint32_t most) {
    const std::optional<BlockPath> path = block_path(block, ext2().geometry().pointer_bits());
    if (!path) return damaged("larger than its block map");
    const uint32_t* pointers = record_.block;
    std::optional<MetadataBlock> held;
    most = std::min(most, path->left);
    for (uint32_t level = 0; level < path->levels; ++level) {
        const uint32_t next = pointers[path->index[level]];
        if (next == 0) return Run{0, most};
        if (!ext2().geometry().is_data_range(next, 1)) return damaged("bad index block");
        MetadataBlock loaded = TRY(ext2().metadata(next));
        held.reset();
        held.emplace(std::move(loaded));
        pointers = reinterpret_cast<const uint32_t*>(held->bytes());
    }
    pointers += path->index[path->levels];
    Run run{pointers[0], 1};
    while (run.count < most && pointers[run.count] == (run.first ? run.first + run.count : 0))
        ++run.count;
    if (run.first && !ext2().geometry().is_data_range(run.first, run.count))
        return damaged("bad block number");
    return run;
}

// Behind the file's previous block; else where the inode is.
uint32_t Ext2Inode::goal_for(uint32_t block, const uint32_t* pointers, uint32_t index) const {
    if (last_block_ && last_index_ + 1 == block) return last_block_ + 1;
    if (index && pointers[index - 1]) return pointers[index - 1] + 1;
    if (last_block_) return last_block_ + 1;
    return ext2().first_block_of_group(ext2().group_of(number()));
}

void Ext2Inode::count_blocks(int32_t change) {
    LockGuard guard(ext2().records());
    record_.blocks512 +=
        static_cast<uint32_t>(change * static_cast<int32_t>(ext2().geometry().block_size() >> 9));
}

// From what is reserved for this file, if it goes on there. `reserve`: it will probably grow further.
Result<Extent> Ext2Inode::take_blocks(uint32_t goal, uint32_t wanted, bool reserve) {
    const uint64_t sectors = uint64_t{wanted} * (ext2().geometry().block_size() >> 9);
    if (record_.blocks512 + sectors > UINT32_MAX) return Errno::fbig;
    if (reserved.count && reserved.first == goal) return ext2().use_reservation(*this, wanted);
    const Extent got = TRY(ext2().allocate_blocks(goal, wanted));
    if (reserve) ext2().reserve_behind(*this, got);
    return got;
}

Result<uint32_t> Ext2Inode::allocate_index(uint32_t goal) {
    const Extent got = TRY(take_blocks(goal, 1, false));
    Result<MetadataBlock> fresh = ext2().fresh_metadata(got.first);
    if (fresh.is_error()) {
        ext2().free_blocks(got.first, 1);
        return fresh.error();
    }
    ext2().touch(got.first, Kind::index);
    count_blocks(1);
    last_block_ = got.first;  // the data follows its index
    return got.first;
}

// Gives `block` and holes right behind it, up to `wanted` in all, room on the disk if they have
// none; what they have then.
Result<Ext2Inode::Run> Ext2Inode::allocate(uint32_t block, uint32_t wanted, bool reserve) {
    const std::optional<BlockPath> path = block_path(block, ext2().geometry().pointer_bits());
    if (!path) return Errno::fbig;
    uint32_t* pointers = record_.block;
    uint32_t container = 0;  // the index block that `pointers` is in; 0: the inode
    std::optional<MetadataBlock> held;
    auto changed = [&] {
        structure_epoch = ext2().epoch();
        container ? ext2().touch(container, Kind::index) : ext2().note_dirty(*this);
    };
    for (uint32_t level = 0; level < path->levels; ++level) {
        uint32_t& next = pointers[path->index[level]];
        if (next == 0) {
            next = TRY(allocate_index(goal_for(block, pointers, path->index[level])));
            changed();
            ext2().note_dirty(*this);
        }
        if (!ext2().is_for_contents(next, 1)) return damaged("bad index block");
        container = next;
        MetadataBlock loaded = TRY(ext2().metadata(next));
        held.reset();
        held.emplace(std::move(loaded));
        pointers = reinterpret_cast<uint32_t*>(held->bytes());
    }
    if (record_.links_count == 0 || is_listed) ext2().note_orphan_growth();
    const uint32_t index = path->index[path->levels];
    wanted = std::min(wanted, path->left);
    uint32_t same = 1;
    if (const uint32_t there = pointers[index]) {
        while (same < wanted && pointers[index + same] == there + same) ++same;
        if (!ext2().geometry().is_data_range(there, same)) return damaged("bad block number");
        return Run{there, same};
    }
    while (same < wanted && !pointers[index + same]) ++same;
    const Extent got = TRY(take_blocks(goal_for(block, pointers, index), same, reserve));
    if (type() == kTypeRegular) ext2().note_ordered(*this, block, got.count);
    for (uint32_t i = 0; i < got.count; ++i) pointers[index + i] = got.first + i;
    changed();
    count_blocks(static_cast<int32_t>(got.count));
    ext2().note_dirty(*this);
    last_block_ = got.first + got.count - 1;
    last_index_ = block + got.count - 1;
    return Run{got.first, got.count};
}

}  // namespace ext2
