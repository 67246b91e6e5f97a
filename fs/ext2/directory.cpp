// Directories of ext2: lists of records, none of which crosses a block. See ext2.hpp, layout.hpp.
#include "fs/ext2/directory_scan.hpp"

namespace ext2 {

Result<MetadataBlock> Ext2Inode::directory_block(uint64_t position) {
    HeldPage page = TRY(cache_.page(static_cast<uint32_t>(position >> kPageShift)));
    return MetadataBlock{std::move(page), static_cast<uint32_t>(position) & kPageMask};
}

Result<Ext2Inode::Found> Ext2Inode::find_by_scan(std::string_view name) {
    Found found;
    TRY(scan(0, [&](const DirectoryEntry& entry, uint64_t position) {
        if (name_of(entry) == name) found = {static_cast<uint32_t>(position), entry.inode};
        return found.inode == 0;
    }));
    if (!found.inode) return Errno::noent;
    return found;
}

// The inode of the entry there; 0 if it has another name.
Result<uint32_t> Ext2Inode::inode_at(uint32_t position, std::string_view name) {
    const Geometry& g = ext2().geometry();
    const uint32_t within = position & (g.block_size() - 1);
    const MetadataBlock held = TRY(directory_block(position - within));
    const DirectoryEntry* entry =
        directory_entry_at({held.bytes(), g.block_size()}, within, g.inodes_count);
    if (!entry) return damaged("bad directory entry");
    return name_of(*entry) == name ? entry->inode : 0;
}

// With the directory's `names`.
Result<Ext2Inode::Found> Ext2Inode::find_entry(std::string_view name) {
    NameIndex* known = index();
    if (!known) return find_by_scan(name);
    Found found;
    Errno failure{};
    known->find(NameIndex::hash(name), [&](uint32_t position) {
        Result<uint32_t> inode = inode_at(position, name);
        if (inode.is_error())
            failure = inode.error();
        else if (inode.value())
            found = {position, inode.value()};
        return found.inode || failure != Errno{};
    });
    if (failure != Errno{}) return failure;
    if (!found.inode) return Errno::noent;
    return found;
}

// Null for a small directory that is searched for the first few times: going through it costs less.
NameIndex* Ext2Inode::index() {
    constexpr uint32_t kSmall = 4;  // blocks
    constexpr uint8_t kFew = 8;
    if (index_ || index_failed_) return index_.get();
    if (size() >> ext2().geometry().block_shift <= kSmall && searches_ < kFew) {
        ++searches_;
        return nullptr;
    }
    Box<NameIndex> fresh(new (std::nothrow) NameIndex);
    index_failed_ = !fresh || fill_index(*fresh).is_error();
    if (!index_failed_) index_ = std::move(fresh);
    return index_.get();
}

Result<void> Ext2Inode::fill_index(NameIndex& index) {
    const Geometry& g = ext2().geometry();
    const auto blocks = static_cast<uint32_t>(size() >> g.block_shift);
    for (uint32_t block = 0; block < blocks; ++block) {
        const MetadataBlock held = TRY(directory_block(uint64_t{block} << g.block_shift));
        uint32_t room = 0;
        for (uint32_t at = 0; at < g.block_size();) {
            const DirectoryEntry* entry =
                directory_entry_at({held.bytes(), g.block_size()}, at, g.inodes_count);
            if (!entry) return Errno::io;
            if (entry->inode)
                TRY(index.add(NameIndex::hash(name_of(*entry)), (block << g.block_shift) + at));
            room = std::max<uint32_t>(room, room_behind(*entry));
            at += entry->record_length;
        }
        TRY(index.set_room(block, room));
    }
    return {};
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
