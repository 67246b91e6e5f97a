// Changing directories of ext2: records are put into the slack of others, and given back to the one
// before them. A directory only grows. All under its `names` and the file system's lock.
#include <algorithm>

#include "fs/ext2/directory_scan.hpp"

namespace ext2 {

namespace {

constexpr uint32_t kIndexedFlag = 0x1000;  // EXT2_INDEX_FL: others keep a hash tree in it
constexpr uint32_t kHeader = sizeof(DirectoryEntry);

uint32_t bytes_needed(size_t name) { return align_up(static_cast<uint32_t>(kHeader + name), 4u); }

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
    const auto sectors =
        static_cast<uint8_t>(((1u << (bytes >> 9)) - 1) << ((end & kPageMask) >> 9));
    cache_.set_dirty(static_cast<uint32_t>(end >> kPageShift), sectors);
    ext2().touch_directory(*this, block, true);
    note_change(true);
    return block;
}

// Puts the entry into this block, or does nothing if it has no room.
bool Ext2Inode::put_in_block(uint32_t block, std::string_view name, InodeNo target, uint32_t type) {
    const Geometry& g = ext2().geometry();
    Result<MetadataBlock> held = directory_block(uint64_t{block} << g.block_shift);
    if (held.is_error()) return false;
    uint8_t* const bytes = held.value().bytes();
    const uint32_t needed = bytes_needed(name.size());
    for (uint32_t at = 0; at < g.block_size();) {
        const DirectoryEntry* entry =
            directory_entry_at({bytes, g.block_size()}, at, g.inodes_count);
        if (!entry) return false;
        const uint32_t used = entry->inode ? bytes_needed(entry->name_length) : 0;
        const uint32_t length = entry->record_length;
        if (length >= used + needed) {
            if (target.raw()) {
                if (used)
                    reinterpret_cast<DirectoryEntry*>(bytes + at)->record_length =
                        static_cast<uint16_t>(used);
                write_entry(bytes + at + used, length - used, target.raw(), entry_type(g, type),
                            name);
                changed_block(block);
            }
            return true;
        }
        at += length;
    }
    return false;
}

// The first block with room for such a name, perhaps a new one.
Result<uint32_t> Ext2Inode::make_room(std::string_view name) {
    const auto blocks = static_cast<uint32_t>(size() >> ext2().geometry().block_shift);
    bool full = true;
    for (uint32_t block = std::min(room_hint_, blocks); block < blocks; ++block) {
        if (put_in_block(block, name, InodeNo(0), 0)) return block;
        // A long name finds no room where a short one does; only then the search starts later.
        if (full && name.size() < 16)
            room_hint_ = block + 1;
        else
            full = false;
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
    room_hint_ = std::min(room_hint_, block);
    changed_block(block);
    return {};
}

// The name stays, and means another file.
Result<void> Ext2Inode::set_entry(std::string_view name, InodeNo target, uint32_t type) {
    const Geometry& g = ext2().geometry();
    const Found found = TRY(find_entry(name));
    MetadataBlock held =
        TRY(directory_block(align_down(uint64_t{found.position}, uint64_t{g.block_size()})));
    auto* entry =
        reinterpret_cast<DirectoryEntry*>(held.bytes() + (found.position & (g.block_size() - 1)));
    entry->inode = target.raw();
    entry->type = entry_type(g, type);
    changed_block(found.position >> g.block_shift);
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

// Not a change of the contents that anybody would see.
Result<void> Ext2Inode::set_parent(const Ext2Inode& parent) {
    const uint32_t modified = record_.modification_time;
    Result<void> done = set_entry("..", parent.number(), kTypeDirectory);
    LockGuard guard(ext2().records());
    record_.modification_time = modified;
    return done;
}

}  // namespace ext2
