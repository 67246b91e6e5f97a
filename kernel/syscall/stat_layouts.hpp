// The structures that describe files and file systems to programs.
// Spec: Linux i386 asm/stat.h, asm/statfs.h, linux/stat.h. 64-bit members are aligned to 4 here.
#pragma once

#include <cstddef>
#include <cstdint>

struct Stat {  // 106-108
    uint32_t device, inode;
    uint16_t mode, links, uid, gid;
    uint32_t special_device, size, block_size, blocks;
    uint32_t accessed, accessed_ns, modified, modified_ns, changed, changed_ns;
    uint32_t unused[2];
};
static_assert(sizeof(Stat) == 64);

struct Stat64 {
    uint64_t device;
    uint32_t padding0;
    uint32_t short_inode;
    uint32_t mode, links, uid, gid;
    uint64_t special_device;
    uint32_t padding1;
    uint64_t size;
    uint32_t block_size;
    uint64_t blocks;
    uint32_t accessed, accessed_ns, modified, modified_ns, changed, changed_ns;
    uint64_t inode;
};
static_assert(sizeof(Stat64) == 96 && offsetof(Stat64, size) == 44 &&
              offsetof(Stat64, inode) == 88);

struct StatxTime {
    int64_t seconds;
    uint32_t nanoseconds, padding;
};
struct Statx {
    uint32_t mask, block_size;
    uint64_t attributes;
    uint32_t links, uid, gid;
    uint16_t mode, padding0;
    uint64_t inode, size, blocks, attributes_mask;
    StatxTime accessed, born, changed, modified;
    uint32_t special_major, special_minor, device_major, device_minor;
    uint64_t mount_id;
    uint32_t spare[26];
};
static_assert(sizeof(Statx) == 256 && offsetof(Statx, accessed) == 64 &&
              offsetof(Statx, special_major) == 128);

struct StatFs {  // 99, 100
    uint32_t type, block_size, blocks, free, available, files, free_files;
    uint32_t id[2];
    uint32_t name_max, fragment_size, flags, spare[4];
};
static_assert(sizeof(StatFs) == 64);

struct StatFs64 {
    uint32_t type, block_size;
    uint64_t blocks, free, available, files, free_files;
    uint32_t id[2];
    uint32_t name_max, fragment_size, flags, spare[4];
};
static_assert(sizeof(StatFs64) == 84);
