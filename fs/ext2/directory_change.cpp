// Changing directories of ext2: records are put into the slack of others, and given back to the one
// before them. A directory only grows. All under its `names` and the file system's lock.
#include <algorithm>

#include "fs/ext2/directory_scan.hpp"

namespace ext2 {

namespace {

constexpr uint32_t kIndexedFlag = 0x1000;  // EXT2_INDEX_FL: others keep a hash tree in it
constexpr uint32_t kHeader = sizeof(DirectoryEntry);

void write_entry(uint8_t* at, uint32_t record_length, uint32_t inode, uint8_t type,
                 std::string_view name) {
    auto* entry = reinterpret_cast<DirectoryEntry*>(at);
    entry->inode = inode;
    entry->record_length = static_cast<uint16_t>(record_length);
    entry->name_length = static_cast<uint8_t>(name.size());
    entry->type = type;
    name.copy(reinterpret_cast<char*>(at + kHeader), name.size());
}

}  // namespace

// What the directory entry of a file of this kind says.
static uint8_t entry_type(const Geometry& geometry, uint32_t type) {
    if (!geometry.has_file_types) return 0;
    for (uint8_t i = 1; i < 8; ++i)
        if (kFileTypes[i] == type >> 12) return i;
    return 0;
}

// The page with this block was changed: it is written by the next checkpoint.
void Ext2Inode::changed_block(uint32_t block) {
    const uint32_t shift = ext2().geometry().block_shift;
    const uint32_t position = block << shift;
    const auto sectors =
        static_cast<uint8_t>(((1u << ((1u << shift) >> 9)) - 1) << ((position & kPageMask) >> 9));
    record_.flags &= ~kIndexedFlag;
    if (cache_.set_dirty(position >> kPageShift, sectors))
        ext2().touch_directory(*this, block, false);
    note_change(true);
}

Result<void> Ext2Inode::write_directory_block(uint32_t block) {
    const uint32_t shift = ext2().geometry().block_shift;
    const uint32_t position = block << shift;
    const auto sectors =
        static_cast<uint8_t>(((1u << ((1u << shift) >> 9)) - 1) << ((position & kPageMask) >> 9));
    if (!cache_.clear_dirty(position >> kPageShift, sectors)) return {};
    const MetadataBlock held = TRY(directory_block(position));
    const Run run = TRY(map(block, 1));
    if (!run.first) return {};
    return ext2().write_blocks(run.first, 1, held.bytes());
}

// The same with a journal.
Result<void> Ext2Inode::log_directory_block(uint32_t block) {
    const uint32_t shift = ext2().geometry().block_shift;
    const uint32_t position = block << shift;
    const auto sectors =
        static_cast<uint8_t>(((1u << ((1u << shift) >> 9)) - 1) << ((position & kPageMask) >> 9));
    if (!cache_.clear_dirty(position >> kPageShift, sectors)) return {};
    MetadataBlock held = TRY(directory_block(position));
    const Run run = TRY(map(block, 1));
    return run.first ? ext2().log_block(run.first, std::move(held), this) : Result<void>();
}

// One more block, with one unused record in it; its number.
Result<uint32_t> Ext2Inode::grow_directory() {
    const uint32_t shift = ext2().geometry().block_shift, bytes = 1u << shift;
    const uint64_t end = size();
    const auto block = static_cast<uint32_t>(end >> shift);
    if (end + bytes > UINT32_MAX / 2) return Errno::nospc;
    HeldPage page = TRY(cache_.page(static_cast<uint32_t>(end >> kPageShift)));
    TRY(allocate(block, 1));
    write_entry(page.data() + (end & kPageMask), bytes, 0, 0, {});
    set_size(end + bytes);
    cache_.set_size(end + bytes);
    if (index_ && index_->set_room(block, bytes).is_error()) forget_index();
    const auto sectors =
        static_cast<uint8_t>(((1u << (bytes >> 9)) - 1) << ((end & kPageMask) >> 9));
    cache_.set_dirty(static_cast<uint32_t>(end >> kPageShift), sectors);
    ext2().touch_directory(*this, block, true);
    note_change(true);
    return block;
}

bool Ext2Inode::has_room(uint32_t block, uint32_t needed) {
    const Geometry& g = ext2().geometry();
    Result<MetadataBlock> held = directory_block(uint64_t{block} << g.block_shift);
    if (held.is_error()) return false;
    for (uint32_t at = 0; at < g.block_size();) {
        const DirectoryEntry* entry =
            directory_entry_at({held.value().bytes(), g.block_size()}, at, g.inodes_count);
        if (!entry) return false;
        if (room_behind(*entry) >= needed) return true;
        at += entry->record_length;
    }
    return false;
}

// Puts the entry into this block, or does nothing if it has no room.
bool Ext2Inode::put_in_block(uint32_t block, std::string_view name, InodeNo target, uint32_t type) {
    const Geometry& g = ext2().geometry();
    Result<MetadataBlock> held = directory_block(uint64_t{block} << g.block_shift);
    if (held.is_error()) return false;
    uint8_t* const bytes = held.value().bytes();
    const uint32_t needed = bytes_needed(name.size());
    std::optional<uint32_t> place;
    uint32_t room = 0;  // what the block has left
    for (uint32_t at = 0; at < g.block_size();) {
        const DirectoryEntry* entry =
            directory_entry_at({bytes, g.block_size()}, at, g.inodes_count);
        if (!entry) return false;
        uint32_t behind = room_behind(*entry);
        if (!place && behind >= needed) {
            place = at;
            behind -= needed;
            if (!index_) break;
        }
        room = std::max(room, behind);
        at += entry->record_length;
    }
    if (!place) return false;
    auto* entry = reinterpret_cast<DirectoryEntry*>(bytes + *place);
    const uint32_t behind = room_behind(*entry), used = entry->record_length - behind;
    if (used) entry->record_length = static_cast<uint16_t>(used);
    write_entry(bytes + *place + used, behind, target.raw(), entry_type(g, type), name);
    note_entry(name, (block << g.block_shift) + *place + used, block, room);
    changed_block(block);
    return true;
}

// There is a new one; `room`: what its block has left.
void Ext2Inode::note_entry(std::string_view name, uint32_t position, uint32_t block,
                           uint32_t room) {
    if (!index_) return;
    if (index_->add(NameIndex::hash(name), position).is_error() ||
        index_->set_room(block, room).is_error())
        forget_index();
}

// The first block with room for such a name, perhaps a new one.
Result<uint32_t> Ext2Inode::make_room(std::string_view name) {
    const uint32_t needed = bytes_needed(name.size());
    if (NameIndex* known = index()) {
        if (const std::optional<uint32_t> block = known->block_with_room(needed)) return *block;
    } else {
        const auto blocks = static_cast<uint32_t>(size() >> ext2().geometry().block_shift);
        for (uint32_t block = 0; block < blocks; ++block)
            if (has_room(block, needed)) return block;
    }
    return grow_directory();
}

Result<void> Ext2Inode::add_entry(std::string_view name, InodeNo target, uint32_t type) {
    const uint32_t block = TRY(make_room(name));
    return put_in_block(block, name, target, type) ? Result<void>()
                                                   : damaged("bad directory entry");
}

Result<void> Ext2Inode::remove_entry(std::string_view name, uint32_t inode) {
    const Geometry& g = ext2().geometry();
    const Found found = TRY(find_entry(name));
    if (found.inode != inode) return Errno::noent;
    const uint32_t block = found.position >> g.block_shift;
    const uint32_t target = found.position & (g.block_size() - 1);
    MetadataBlock held = TRY(directory_block(uint64_t{block} << g.block_shift));
    DirectoryEntry* before = nullptr;
    for (uint32_t at = 0; at < target;) {
        before = reinterpret_cast<DirectoryEntry*>(held.bytes() + at);
        at += before->record_length;
    }
    auto* entry = reinterpret_cast<DirectoryEntry*>(held.bytes() + target);
    if (before) before->record_length += entry->record_length;
    entry->inode = 0;
    if (index_) {
        index_->remove(NameIndex::hash(name), found.position);
        const uint32_t room = std::max(index_->room(block), room_behind(before ? *before : *entry));
        if (index_->set_room(block, room).is_error()) forget_index();
    }
    changed_block(block);
    return {};
}

// The name stays, and means another file.
Result<void> Ext2Inode::set_entry(std::string_view name, InodeNo target, uint32_t type) {
    return set_entry_at(TRY(find_entry(name)).position, target, type);
}

Result<void> Ext2Inode::set_entry_at(uint32_t position, InodeNo target, uint32_t type) {
    const Geometry& g = ext2().geometry();
    MetadataBlock held = TRY(directory_block(align_down(position, g.block_size())));
    auto* entry =
        reinterpret_cast<DirectoryEntry*>(held.bytes() + (position & (g.block_size() - 1)));
    entry->inode = target.raw();
    entry->type = entry_type(g, type);
    changed_block(position >> g.block_shift);
    return {};
}

Result<bool> Ext2Inode::is_empty() {
    bool empty = true;
    TRY(scan(0, [&](const DirectoryEntry& entry, uint64_t) {
        const std::string_view name = name_of(entry);
        empty = name == "." || name == "..";
        return empty;
    }));
    return empty;
}

// "." and "..", the latter to the end of the block.
Result<void> Ext2Inode::start_directory(const Ext2Inode& parent) {
    const Geometry& g = ext2().geometry();
    TRY(grow_directory());
    MetadataBlock held = TRY(directory_block(0));
    const uint8_t type = entry_type(g, kTypeDirectory);
    write_entry(held.bytes(), 12, number().raw(), type, ".");
    write_entry(held.bytes() + 12, g.block_size() - 12, parent.number().raw(), type, "..");
    return {};
}

// Not a visible change of the contents, nor is its `names` held.
Result<void> Ext2Inode::set_parent(const Ext2Inode& parent) {
    const uint32_t modified = record_.modification_time;
    Result<Found> found = find_by_scan("..");
    Result<void> done = found.is_ok()
                            ? set_entry_at(found.value().position, parent.number(), kTypeDirectory)
                            : Result<void>(found.error());
    LockGuard guard(ext2().records());
    record_.modification_time = modified;
    return done;
}

}  // namespace ext2
