// From blocks of a file to blocks of the disk: looking them up, finding new ones, giving them back.
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
    for (uint32_t i = 0; i < got.count; ++i) pointers[index + i] = got.first + i;
    changed();
    count_blocks(static_cast<int32_t>(got.count));
    ext2().note_dirty(*this);
    last_block_ = got.first + got.count - 1;
    last_index_ = block + got.count - 1;
    return Run{got.first, got.count};
}

void Ext2Inode::release(uint32_t first, uint32_t count) {
    if (!ext2().is_for_contents(first, count)) {
        static_cast<void>(damaged("bad block number"));
        ext2().note_error();
        return;
    }
    ext2().free_blocks(first, count);
    count_blocks(-static_cast<int32_t>(count));
}

// Neighbours on the disk are freed as one. `budget`: a damaged map may be endless.
void Ext2Inode::free_pointers(uint32_t* pointers, uint32_t count, uint32_t& budget) {
    for (uint32_t i = 0; i < count && budget; --budget) {
        const uint32_t first = pointers[i];
        uint32_t length = 1;
        while (first && i + length < count && pointers[i + length] == first + length) ++length;
        if (first) release(first, length);
        for (uint32_t k = 0; k < length; ++k) pointers[i + k] = 0;
        i += length;
    }
}

// Frees what lies below an index block from its data block `keep` on; itself too if nothing stays.
void Ext2Inode::cut_index(uint32_t index_block, uint32_t levels, uint32_t keep, uint32_t& budget) {
    if (!ext2().is_for_contents(index_block, 1)) {
        static_cast<void>(damaged("bad index block"));
        return ext2().note_error();
    }
    if (!budget) return;
    --budget;
    const uint32_t bits = ext2().geometry().pointer_bits(), p = 1u << bits;
    Result<MetadataBlock> held = ext2().metadata(index_block);
    if (held.is_error()) return ext2().note_error();
    auto* pointers = reinterpret_cast<uint32_t*>(held.value().bytes());
    const uint32_t below = (levels - 1) * bits;  // log2 of how many blocks a pointer stands for
    uint32_t at = keep >> below;
    const uint32_t within = keep & ((1u << below) - 1);
    if (levels == 1) {
        free_pointers(pointers + at, p - at, budget);
    } else {
        if (within && pointers[at]) cut_index(pointers[at], levels - 1, within, budget);
        if (within) ++at;
        for (; at < p && budget; ++at)
            if (const uint32_t child = std::exchange(pointers[at], 0))
                cut_index(child, levels - 1, 0, budget);
    }
    if (keep) return ext2().touch(index_block, Kind::index);
    ext2().forget(index_block);
    release(index_block, 1);
}

void Ext2Inode::cut_off(uint32_t first_block) {
    const uint32_t bits = ext2().geometry().pointer_bits();
    uint32_t budget = ext2().geometry().blocks_count + (kPointersInInode << bits);
    if (first_block < kDirectBlocks)
        free_pointers(record_.block + first_block, kDirectBlocks - first_block, budget);
    uint64_t base = kDirectBlocks;
    for (uint32_t levels = 1; levels <= 3; ++levels) {
        const uint64_t reach = uint64_t{1} << (levels * bits);
        uint32_t& top = record_.block[kDirectBlocks + levels - 1];
        if (top && first_block < base + reach) {
            const auto keep = static_cast<uint32_t>(first_block > base ? first_block - base : 0);
            cut_index(top, levels, keep, budget);
            if (!keep) top = 0;
        }
        base += reach;
    }
    last_block_ = last_index_ = 0;
    ext2().drop_reservation(*this);
    structure_epoch = ext2().epoch();
    ext2().note_dirty(*this);
}

// Also the block of extended attributes, which files may share: it counts its users.
void Ext2Inode::free_contents() {
    constexpr uint32_t kAttributeMagic = 0xEA020000;
    const uint32_t attributes = record_.attribute_block;
    const bool has_map = (type() == kTypeRegular || type() == kTypeDirectory ||
                          (type() == kTypeSymlink && !is_fast_symlink()));
    if (has_map) cut_off(0);
    if (!attributes || !ext2().is_for_contents(attributes, 1)) return;
    Result<MetadataBlock> held = ext2().metadata(attributes);
    if (held.is_error()) return;
    auto* header = reinterpret_cast<uint32_t*>(held.value().bytes());  // magic, users
    if (header[0] != kAttributeMagic) return;
    if (header[1] > 1) {
        --header[1];
        ext2().touch(attributes, Kind::index);
    } else {
        ext2().forget(attributes);
        release(attributes, 1);
    }
    record_.attribute_block = 0;
}

}  // namespace ext2
