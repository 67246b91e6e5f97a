// Giving back a file's blocks, when it is cut off or gone. See block_map.hpp.
#include <algorithm>
#include <utility>

#include "fs/ext2/block_map.hpp"
#include "fs/ext2/ext2.hpp"
#include "kernel/lib/preemption.hpp"

namespace ext2 {

void Ext2Inode::release(uint32_t first, uint32_t count) {
    if (!ext2().is_for_contents(first, count)) {
        static_cast<void>(damaged("bad block number"));
        ext2().note_error();
        return;
    }
    if (ext2().journals_contents() || (ext2().journaled() && type() != kTypeRegular))
        for (uint32_t i = 0; i < count; ++i) ext2().forget(first + i);
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
        preemption_point();
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
