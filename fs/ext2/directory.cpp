// Directories of ext2: lists of records, none of which crosses a block. See ext2.hpp, layout.hpp.
#include "fs/ext2/directory_scan.hpp"

namespace ext2 {

Result<MetadataBlock> Ext2Inode::directory_block(uint64_t position) {
    HeldPage page = TRY(cache_.page(static_cast<uint32_t>(position >> kPageShift)));
    return MetadataBlock{std::move(page), static_cast<uint32_t>(position) & kPageMask};
}

Result<Ext2Inode::Found> Ext2Inode::find_entry(std::string_view name) {
    Found found;
    TRY(scan(0, [&](const DirectoryEntry& entry, uint64_t position) {
        if (name_of(entry) == name) found = {static_cast<uint32_t>(position), entry.inode};
        return found.inode == 0;
    }));
    if (!found.inode) return Errno::noent;
    return found;
}

Result<Ref<Inode>> Ext2Inode::lookup_child(std::string_view name) {
    if (type() != kTypeDirectory) return Errno::notdir;
    const uint32_t found = TRY(find_entry(name)).inode;
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
