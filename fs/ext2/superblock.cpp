// What of a mounted ext2 goes into its superblock, and statfs.
#include <algorithm>

#include "fs/ext2/ext2.hpp"
#include "fs/timestamp.hpp"

namespace ext2 {

// `clean`: nobody will write from now on. It stays unclean if it was so before, until e2fsck. With a
// journal it is clean all the time, for who plays that back.
Superblock& Ext2::fill_superblock(HeldPage& page, bool clean) {
    auto& super = *reinterpret_cast<Superblock*>(page.data() + kSuperblockOffset);
    const uint32_t now = disk_seconds(timestamp_now().seconds);
    if (std::exchange(mounting_, false)) {
        super.mount_time = now;
        if (super.mount_count < UINT16_MAX) ++super.mount_count;
    }
    super.write_time = now;
    super.free_blocks_count = free_blocks_;
    super.free_inodes_count = free_inodes_;
    if (has_orphan_list_) super.last_orphan = orphan_head_;
    if (large_files_) super.features_read_only |= kReadOnlyLargeFile;
    super.state = static_cast<uint16_t>(mounted_state_ & ~(clean || journaled_ ? 0 : kStateClean));
    if (journaled_ && clean) super.features_incompatible &= ~kIncompatRecover;
    if (journaled_ && !clean) super.features_incompatible |= kIncompatRecover;
    return super;
}

Result<void> Ext2::write_superblock(bool clean) {
    HeldPage page = TRY(metadata_.page(0));
    const Superblock& super = fill_superblock(page, clean);
    return device_.write(Sector(kSuperblockOffset / kSectorSize), sizeof(Superblock) / kSectorSize,
                         &super);
}

void Ext2::note_error() {
    mounted_state_ = static_cast<uint16_t>((mounted_state_ | kStateErrors) & ~kStateClean);
    super_changed_ = true;
}

void Ext2::use_large_files() {
    if (std::exchange(large_files_, true)) return;
    super_changed_ = true;
}

FileSystemStatistics Ext2::statistics() {
    LockGuard guard(lock_);
    if (!read_only() && begin().is_error()) return {};
    FileSystemStatistics s;
    s.type = kMagic;
    s.id = id_;
    s.block_size = geometry_.block_size();
    s.blocks = geometry_.blocks_count - geometry_.overhead;
    s.free_blocks = std::min<uint64_t>(uint64_t{free_blocks_} + pending_block_count_, s.blocks);
    s.available_blocks = s.free_blocks - std::min<uint64_t>(s.free_blocks, reserved_blocks_);
    s.files = geometry_.inodes_count;
    s.free_files = std::min(free_inodes_ + pending_inodes_.size(), geometry_.inodes_count);
    return s;
}

}  // namespace ext2
