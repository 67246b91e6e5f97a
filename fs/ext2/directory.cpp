// Directories of ext2: lists of records, none of which crosses a block. See ext2.hpp, layout.hpp.
#include "fs/ext2/ext2.hpp"

namespace ext2 {

Result<Ext2::MetadataBlock> Ext2Inode::directory_block(uint64_t position) {
    HeldPage page = TRY(cache_.page(static_cast<uint32_t>(position >> kPageShift)));
    return Ext2::MetadataBlock{std::move(page), static_cast<uint32_t>(position) & kPageMask};
}

template <typename F>
Result<uint64_t> Ext2Inode::scan(uint64_t offset, F&& visit) {
    const Geometry& g = ext2().geometry();
    const uint32_t size = g.block_size();
    const uint64_t end = align_down(this->size(), uint64_t{size});
    for (uint64_t block = align_down(offset, uint64_t{size}); block < end; block += size) {
        const Ext2::MetadataBlock held = TRY(directory_block(block));
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

Result<Ref<Inode>> Ext2Inode::lookup_child(std::string_view name) {
    if (type() != kTypeDirectory) return Errno::notdir;
    uint32_t found = 0;
    TRY(scan(0, [&](const DirectoryEntry& entry, uint64_t) {
        if (name_of(entry) == name) found = entry.inode;
        return found == 0;
    }));
    if (found == 0) return Errno::noent;
    if (found != kRootInode && found < ext2().geometry().first_inode)
        return damaged("names a reserved inode");
    return ext2().inode(InodeNo(found));
}

Result<uint64_t> Ext2Inode::list(DirectorySink& sink, uint64_t offset) {
    if (type() != kTypeDirectory) return Errno::notdir;
    const bool typed = ext2().geometry().has_file_types;
    return scan(offset, [&](const DirectoryEntry& entry, uint64_t position) {
        return sink.add(name_of(entry), InodeNo(entry.inode),
                        typed ? kFileTypes[entry.type & 7] : 0, position + entry.record_length);
    });
}

}  // namespace ext2
