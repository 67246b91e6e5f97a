// What every file has beside its contents, and who may do what to it.
// Spec: inode(7); path_resolution(7) for the order of the permission checks.
#pragma once

#include <span>

#include "fs/capabilities.hpp"
#include "kernel/lib/result.hpp"
#include "kernel/lib/types.hpp"

constexpr uint32_t kTypeMask = 0170000, kTypeSocket = 0140000, kTypeSymlink = 0120000,
                   kTypeRegular = 0100000, kTypeBlock = 0060000, kTypeDirectory = 0040000,
                   kTypeCharacter = 0020000, kTypeFifo = 0010000;
constexpr uint32_t kModeSetUid = 04000, kModeSetGid = 02000, kModeSticky = 01000;

struct Timestamp {
    int64_t seconds = 0;
    uint32_t nanoseconds = 0;
};

struct Attributes {
    uint32_t mode = 0;  // type and permissions
    uint32_t uid = 0, gid = 0;
    uint32_t links = 1;
    uint64_t size = 0;
    uint64_t blocks512 = 0;
    uint32_t block_size = kPageSize;
    uint32_t device = 0;          // of the file system it lies on: major << 8 | minor
    uint32_t special_device = 0;  // of a device node
    InodeNo inode{0};
    Timestamp accessed, modified, changed;

    bool is_directory() const { return (mode & kTypeMask) == kTypeDirectory; }
    bool is_regular() const { return (mode & kTypeMask) == kTypeRegular; }
    bool is_symlink() const { return (mode & kTypeMask) == kTypeSymlink; }
};

// What a permission check looks at.
struct Ownership {
    uint32_t mode, uid, gid;
    bool immutable = false, append_only = false;  // chattr(1): for the superuser too
    bool is_protected() const { return immutable || append_only; }
};

constexpr uint32_t kMaxGroups = 32;
struct Credentials {
    uint32_t uid = 0, euid = 0, suid = 0, fsuid = 0;
    uint32_t gid = 0, egid = 0, sgid = 0, fsgid = 0;
    uint32_t group_count = 0;
    uint32_t groups[kMaxGroups] = {};

    bool in_group(uint32_t group) const;
    Capabilities capabilities;
    bool may(Capability c) const { return capabilities.has(c); }
};

constexpr uint32_t kMayRead = 4, kMayWrite = 2, kMayExecute = 1;
// EACCES unless `who` (by fsuid, fsgid and groups) has all of `wanted` on such a file; EPERM if it is
// immutable, and to be written.
Result<void> check_permission(const Ownership& owner, const Credentials& who, uint32_t wanted);

// Device numbers as stat(2) shows them; major << 8 | minor for small minors.
// Spec: Linux kdev_t.h, the new encoding.
constexpr uint32_t device_number(uint32_t major, uint32_t minor) {
    return (minor & 0xff) | (major << 8) | ((minor & ~0xffu) << 12);
}
constexpr uint32_t device_major(uint32_t device) { return (device >> 8) & 0xfff; }
constexpr uint32_t device_minor(uint32_t device) {
    return (device & 0xff) | ((device >> 12) & ~0xffu);
}
