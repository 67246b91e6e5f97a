// Which inodes are used, and finding free ones: near their directory; a new directory of the root in
// a group with room. See ext2.hpp.
#include <algorithm>

#include "fs/ext2/ext2.hpp"
#include "fs/free_space/free_bitmap.hpp"
#include "fs/timestamp.hpp"
#include "fs/vfs.hpp"
#include "kernel/lib/log.hpp"

namespace ext2 {

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
    const uint32_t now = disk_seconds(timestamp_now().seconds);
    record.access_time = record.change_time = record.modification_time = now;
    record.generation = now ^ number.raw() * 0x9E3779B1u;
    Result<Ref<Ext2Inode>> made = make_ref<Ext2Inode>(*this, number, record);
    if (made.is_error() ||
        (!journaled_ && fresh_.push_back({number.raw(), directory}).is_error())) {
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

void Ext2::add_dead_inode(Ext2Inode& inode) {
    LockGuard guard(records_);
    dead_inodes_.push_back(inode);
}

void Ext2::give_back(Ext2Inode& dead) {
    dead.free_contents();
    {
        const uint32_t now = disk_seconds(timestamp_now().seconds);
        LockGuard guard(records_);
        if (!dead.is_listed) dead.record().deletion_time = now;
        note_clean(dead);
        if (dead.nameless_node.linked()) dead.nameless_node.unlink();
    }
    if (store(dead, dead.record()).is_error()) note_error();
    if (dead.is_listed)
        orphan_ended(dead);
    else if (pending_inodes_.push_back({dead.number().raw(), dead.is_directory()}).is_error())
        note_error();
}

void Ext2::free_dead_inodes() {
    for (;;) {
        Ext2Inode* dead;
        {
            LockGuard guard(records_);
            dead = dead_inodes_.pop_front();
        }
        if (!dead) return;
        if (!read_only() && !dead->is_released) give_back(*dead);
        delete dead;
        nameless_.subtract(1);
    }
}

}  // namespace ext2
