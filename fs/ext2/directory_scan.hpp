// Walking over the records of a directory, for the files that read and change them.
#pragma once

#include <algorithm>

#include "fs/ext2/ext2.hpp"

namespace ext2 {

// Calls visit(entry, position) for each entry in use from `offset` on until it says false; returns
// the position of the entry it stopped at, or the directory's end.
template <typename F>
Result<uint64_t> Ext2Inode::scan(uint64_t offset, F&& visit) {
    const Geometry& g = ext2().geometry();
    const uint32_t size = g.block_size();
    const uint64_t end = align_down(this->size(), uint64_t{size});
    for (uint64_t block = align_down(offset, uint64_t{size}); block < end; block += size) {
        const MetadataBlock held = TRY(directory_block(block));
        // From the block's start, because `offset` may be any number that a program made up.
        for (uint32_t at = 0; at < size;) {
            const DirectoryEntry* entry =
                directory_entry_at({held.bytes(), size}, at, g.inodes_count);
            if (!entry) return damaged("bad directory entry");
            if (entry->inode && block + at >= offset && !visit(*entry, block + at))
                return block + at;
            at += entry->record_length;
        }
    }
    return std::max(offset, end);
}

}  // namespace ext2
