// ext2 as it lies on the disk; all numbers little-endian.
//
//   byte 1024: superblock. Then block groups of s_blocks_per_group blocks each, from block
//   s_first_data_block (1 with 1 KiB blocks, else 0). The block after the superblock's holds the
//   table of group descriptors. A group:
//     [superblock copy][descriptor copies][block bitmap][inode bitmap][inode table ...][data ...]
//
// Spec: Documentation/filesystems/ext2 (Linux); "The Second Extended File System", D. Poirier.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace ext2 {

constexpr uint32_t kSuperblockOffset = 1024;
constexpr uint16_t kMagic = 0xEF53;
constexpr uint32_t kRootInode = 2, kJournalInode = 8;
constexpr uint32_t kDirectBlocks = 12;
constexpr uint32_t kPointersInInode = 15;  // the last three: single, double, triple indirect

struct Superblock {
    uint32_t inodes_count;
    uint32_t blocks_count;
    uint32_t reserved_blocks_count;
    uint32_t free_blocks_count;
    uint32_t free_inodes_count;
    uint32_t first_data_block;
    uint32_t log_block_size;  // 1024 << this
    uint32_t log_fragment_size;
    uint32_t blocks_per_group;
    uint32_t fragments_per_group;
    uint32_t inodes_per_group;
    uint32_t mount_time;
    uint32_t write_time;
    uint16_t mount_count;
    uint16_t max_mount_count;
    uint16_t magic;
    uint16_t state;
    uint16_t errors;
    uint16_t minor_revision;
    uint32_t last_check;
    uint32_t check_interval;
    uint32_t creator_os;
    uint32_t revision;
    uint16_t reserved_uid;
    uint16_t reserved_gid;
    // From here on only in revision 1.
    uint32_t first_inode;
    uint16_t inode_size;
    uint16_t block_group;
    uint32_t features_compatible;
    uint32_t features_incompatible;
    uint32_t features_read_only;  // unknown ones: may be read, not written
    uint8_t uuid[16];
    char volume_name[16];
    uint8_t unused[88];
    uint32_t journal_inode;
    uint32_t journal_device;  // an external journal's
    uint32_t last_orphan;     // inode; its deletion_time is the next one
    uint8_t unused2[24];
    uint32_t
        first_meta_group;  // with meta_bg: blocks of the table from here on lie in their groups
    uint8_t unused3[760];
};
static_assert(sizeof(Superblock) == 1024);
static_assert(offsetof(Superblock, magic) == 56);
static_assert(offsetof(Superblock, revision) == 76);
static_assert(offsetof(Superblock, features_incompatible) == 96);
static_assert(offsetof(Superblock, journal_inode) == 0xE0);
static_assert(offsetof(Superblock, last_orphan) == 0xE8);
static_assert(offsetof(Superblock, first_meta_group) == 0x104);

constexpr uint16_t kStateClean = 1, kStateErrors = 2;

struct GroupDescriptor {
    uint32_t block_bitmap;
    uint32_t inode_bitmap;
    uint32_t inode_table;
    uint16_t free_blocks_count;
    uint16_t free_inodes_count;
    uint16_t directories_count;
    uint16_t flags;
    uint32_t unused[3];
};
static_assert(sizeof(GroupDescriptor) == 32);

struct InodeRecord {
    uint16_t mode;
    uint16_t uid_low;
    uint32_t size_low;
    uint32_t access_time;
    uint32_t change_time;
    uint32_t modification_time;
    uint32_t deletion_time;
    uint16_t gid_low;
    uint16_t links_count;
    uint32_t blocks512;
    uint32_t flags;
    uint32_t os_value;
    uint32_t block[kPointersInInode];
    uint32_t generation;
    uint32_t attribute_block;  // i_file_acl
    uint32_t size_high;        // regular files; i_dir_acl of others
    uint32_t fragment_address;
    uint8_t fragment_number;
    uint8_t fragment_size;
    uint16_t blocks_high;
    uint16_t uid_high;
    uint16_t gid_high;
    uint32_t unused;
};
static_assert(sizeof(InodeRecord) == 128);
static_assert(offsetof(InodeRecord, block) == 40);
static_assert(offsetof(InodeRecord, uid_high) == 120);

// Times are seconds in 32 bits with a sign: beyond them the last one stays, as on Linux.
constexpr uint32_t disk_seconds(int64_t seconds) {
    return static_cast<uint32_t>(seconds > INT32_MAX   ? INT32_MAX
                                 : seconds < INT32_MIN ? INT32_MIN
                                                       : static_cast<int32_t>(seconds));
}
static_assert(disk_seconds(1LL << 31) == 0x7fffffff && disk_seconds(-1) == 0xffffffff);

struct DirectoryEntry {
    uint32_t inode;          // 0: unused
    uint16_t record_length;  // to the next entry; multiple of 4
    uint8_t name_length;
    uint8_t type;  // kFileTypes index, with the filetype feature
    // the name follows
};
static_assert(sizeof(DirectoryEntry) == 8);

// DT_* values of the types 0 to 7.
constexpr uint8_t kFileTypes[8] = {0, 8, 4, 2, 6, 1, 12, 10};

// The entry at `offset` of a directory block, or null if what stands there is no entry: too short,
// not aligned, out of the block, longer name than room, inode beyond `inodes_count`.
inline const DirectoryEntry* directory_entry_at(std::span<const uint8_t> block, uint32_t offset,
                                                uint32_t inodes_count) {
    constexpr uint32_t kShortest = 12;
    if (offset % 4 != 0 || offset + kShortest > block.size()) return nullptr;
    auto* entry = reinterpret_cast<const DirectoryEntry*>(block.data() + offset);
    if (entry->record_length < kShortest || entry->record_length % 4 != 0) return nullptr;
    if (entry->record_length > block.size() - offset) return nullptr;
    if (entry->name_length + sizeof(DirectoryEntry) > entry->record_length) return nullptr;
    if (entry->inode > inodes_count || (entry->inode && !entry->name_length)) return nullptr;
    return entry;
}
inline std::string_view name_of(const DirectoryEntry& entry) {
    return {reinterpret_cast<const char*>(&entry + 1), entry.name_length};
}

// What a record with such a name takes, and what a record has beyond that.
constexpr uint32_t bytes_needed(size_t name) {
    return (static_cast<uint32_t>(sizeof(DirectoryEntry) + name) + 3) & ~3u;
}
inline uint32_t room_behind(const DirectoryEntry& entry) {
    return entry.record_length - (entry.inode ? bytes_needed(entry.name_length) : 0);
}

constexpr uint32_t kCompatJournal = 0x4, kCompatNotWritten = 0x1400;
constexpr uint32_t kIncompatFiletype = 0x2, kIncompatRecover = 0x4, kIncompatMetaGroups = 0x10;
constexpr uint32_t kReadOnlySparseSuper = 0x1, kReadOnlyLargeFile = 0x2;
constexpr uint32_t kKnownIncompatible = kIncompatFiletype | kIncompatRecover | kIncompatMetaGroups;
constexpr uint32_t kKnownReadOnly = kReadOnlySparseSuper | kReadOnlyLargeFile;

}  // namespace ext2
