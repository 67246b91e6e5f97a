// Which blocks and inodes are used, and finding free ones: an inode near its directory, a new
// directory in a group with room, a block behind the file's previous one, a file's first blocks
// where eight in a row are free. See ext2.hpp.
#include <algorithm>

#include "fs/ext2/ext2.hpp"
#include "fs/vfs.hpp"
#include "fs/free_space/free_bitmap.hpp"
#include "fs/timestamp.hpp"
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
    free_blocks_ -= std::min(free_blocks_, count);
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
    pending_block_count_ += count;
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

// --- inodes

// Directories of the root spread over the groups; others stay near their parent.
Result<uint32_t> Ext2::pick_group(const Ext2Inode& parent, bool directory) {
    const uint32_t near = group_of(parent.number());
    const bool spread = directory && parent.number().raw() == kRootInode;
    const uint32_t start = spread ? last_group_ + 1 : near;
    const uint32_t average = free_inodes_ / geometry_.groups;
    for (bool choosy : {true, false})
        for (uint32_t i = 0; i < geometry_.groups; ++i) {
            const uint32_t group = (start + i) % geometry_.groups;
            HeldDescriptor info = TRY(descriptor(group));
            const uint32_t free = info.descriptor->free_inodes_count;
            if (!free ||
                (choosy && (info.descriptor->free_blocks_count == 0 || (spread && free < average))))
                continue;
            if (spread) last_group_ = group;
            return group;
        }
    return Errno::nospc;
}

Result<InodeNo> Ext2::allocate_inode(uint32_t group, bool directory) {
    HeldDescriptor info = TRY(descriptor(group));
    GroupDescriptor& d = *info.descriptor;
    MetadataBlock held = TRY(metadata(d.inode_bitmap));
    Bitmap bits = bitmap_of(held, geometry_.inodes_per_group);
    const uint32_t reserved = group == 0 ? geometry_.first_inode - 1 : 0;
    const std::optional<uint32_t> at = bits.find_clear_run(1, reserved);
    const uint32_t number = group * geometry_.inodes_per_group + at.value_or(0) + 1;
    if (!at || number > geometry_.inodes_count) {
        log_error("ext2: {}: inode bitmap of group {} is damaged", device_name(), group);
        note_error();
        return Errno::io;
    }
    bits.set(*at);
    --d.free_inodes_count;
    if (directory) ++d.directories_count;
    free_inodes_ -= std::min(free_inodes_, 1u);
    touch(d.inode_bitmap, Kind::map);
    touch(info.block, Kind::map);
    super_changed_ = true;
    return InodeNo(number);
}

// Of the folder's flags: files get "secure deletion", "undelete" and SYNC too, folders also DIRSYNC.
static uint32_t inherited_flags(uint32_t type) {
    constexpr uint32_t kAll = kFlagNoDump | kFlagNoAtime, kFiles = 0x0b, kFolders = 0x10000;
    if (type == kTypeDirectory) return kAll | kFiles | kFolders;
    return type == kTypeRegular ? kAll | kFiles : kAll;
}

Result<Ref<Ext2Inode>> Ext2::create(Ext2Inode& parent, uint32_t mode, uint32_t uid, uint32_t gid) {
    const bool directory = (mode & kTypeMask) == kTypeDirectory;
    const uint32_t group = TRY(pick_group(parent, directory));
    const InodeNo number = TRY(allocate_inode(group, directory));
    InodeRecord record{};
    record.mode = static_cast<uint16_t>(mode);
    record.uid_low = static_cast<uint16_t>(uid);
    record.uid_high = static_cast<uint16_t>(uid >> 16);
    record.gid_low = static_cast<uint16_t>(gid);
    record.gid_high = static_cast<uint16_t>(gid >> 16);
    record.links_count = directory ? 2 : 1;
    record.flags = parent.record().flags & inherited_flags(mode & kTypeMask);
    const auto now = static_cast<uint32_t>(timestamp_now().seconds);
    record.access_time = record.change_time = record.modification_time = now;
    record.generation = now ^ number.raw() * 0x9E3779B1u;
    Result<Ref<Ext2Inode>> made = make_ref<Ext2Inode>(*this, number, record);
    if (made.is_error() || fresh_.push_back({number.raw(), directory}).is_error()) {
        static_cast<void>(clear_inode(number.raw(), directory));
        return Errno::nomem;
    }
    note_dirty(*made.value());
    return made;
}

void Ext2::discard(Ext2Inode& fresh) {
    {
        LockGuard guard(records_);
        fresh.record().links_count = 0;
    }
    note_nameless(fresh);
    remove_inode(fresh);  // its last reference buries it
}

void Ext2::bury(Ext2Inode& inode) {
    LockGuard guard(records_);
    dead_inodes_.push_back(inode);
}

void Ext2::give_back(Ext2Inode& dead) {
    dead.free_contents();
    {
        const auto now = static_cast<uint32_t>(timestamp_now().seconds);
        LockGuard guard(records_);
        if (!dead.is_listed) dead.record().deletion_time = now;
        if (dead.dirty_node.linked()) dead.dirty_node.unlink();
        if (dead.nameless_node.linked()) dead.nameless_node.unlink();
    }
    if (store(dead, dead.record()).is_error()) note_error();
    if (dead.is_listed)
        orphan_ended(dead);
    else if (pending_inodes_.push_back({dead.number().raw(), dead.is_directory()}).is_error())
        note_error();
}

void Ext2::reap() {
    for (;;) {
        Ext2Inode* dead;
        {
            LockGuard guard(records_);
            dead = dead_inodes_.pop_front();
        }
        if (!dead) return;
        if (!read_only() && !dead->is_released) give_back(*dead);
        delete dead;
        __atomic_sub_fetch(&nameless_, 1, __ATOMIC_RELAXED);
    }
}

// --- what a checkpoint does with what was freed

Result<void> Ext2::clear_blocks(const Extent& extent) {
    for (uint32_t first = extent.first, left = extent.count; left;) {
        const uint32_t group = (first - geometry_.first_data_block) / geometry_.blocks_per_group;
        const uint32_t at = first - first_block_of_group(group);
        const uint32_t count = std::min(left, blocks_in_group(group) - at);
        HeldDescriptor info = TRY(descriptor(group));
        MetadataBlock held = TRY(metadata(info.descriptor->block_bitmap));
        Bitmap bits = bitmap_of(held, blocks_in_group(group));
        uint32_t cleared = 0;
        for (uint32_t i = at; i < at + count; ++i) cleared += bits.test(i);
        bits.set_range(at, count, false);
        if (cleared != count) {
            log_error("ext2: {}: freed blocks of group {} were free already", device_name(), group);
            note_error();
        }
        info.descriptor->free_blocks_count += static_cast<uint16_t>(cleared);
        free_blocks_ += cleared;
        touch(info.descriptor->block_bitmap, Kind::map);
        touch(info.block, Kind::map);
        first += count;
        left -= count;
    }
    super_changed_ = true;
    return {};
}

Result<void> Ext2::clear_inode(uint32_t number, bool directory) {
    HeldDescriptor info = TRY(descriptor(group_of(InodeNo(number))));
    GroupDescriptor& d = *info.descriptor;
    MetadataBlock held = TRY(metadata(d.inode_bitmap));
    Bitmap bits = bitmap_of(held, geometry_.inodes_per_group);
    const uint32_t at = (number - 1) % geometry_.inodes_per_group;
    if (!bits.test(at)) note_error();
    bits.set(at, false);
    ++d.free_inodes_count;
    if (directory && d.directories_count) --d.directories_count;
    ++free_inodes_;
    touch(d.inode_bitmap, Kind::map);
    touch(info.block, Kind::map);
    super_changed_ = true;
    return {};
}

void Ext2::commit_frees() {
    for (const Extent& extent : pending_blocks_)
        if (clear_blocks(extent).is_error()) note_error();
    for (const FreshInode& inode : pending_inodes_)
        if (clear_inode(inode.number, inode.directory).is_error()) note_error();
    pending_blocks_.clear();
    pending_inodes_.clear();
    pending_block_count_ = 0;
}

}  // namespace ext2
