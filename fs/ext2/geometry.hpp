// What the superblock says about the shape of the file system, after every number in it that could
// do harm was checked. Pure: bytes in, numbers or a reason out.
#pragma once

#include "fs/ext2/layout.hpp"
#include "kernel/lib/format.hpp"
#include "kernel/lib/result.hpp"

namespace ext2 {

struct Geometry {
    uint32_t block_shift;  // block size = 1 << this: 10 to 12
    uint32_t blocks_count, inodes_count;
    uint32_t first_data_block;
    uint32_t blocks_per_group, inodes_per_group, groups;
    uint32_t inode_size, first_inode;
    uint32_t descriptor_table;  // its first block
    uint32_t first_meta_group;  // blocks of the table from this one on lie where their groups begin
    bool sparse_supers;         // not every group has a copy of the superblock
    uint32_t overhead;          // blocks of metadata, for statfs
    bool has_file_types;

    uint32_t block_size() const { return 1u << block_shift; }
    uint32_t pointer_bits() const { return block_shift - 2; }
    uint32_t descriptors_per_block() const { return block_size() >> 5; }
    uint32_t descriptor_blocks() const {
        return (groups + descriptors_per_block() - 1) / descriptors_per_block();
    }
    bool has_superblock(uint32_t group) const;
    // Where a block of the table lies; how many blocks a group begins with because of meta_bg.
    uint32_t descriptor_block(uint32_t index) const;
    uint32_t meta_head(uint32_t group) const;
    bool is_data_range(uint32_t first, uint32_t count) const {
        return first >= first_data_block && first < blocks_count && count <= blocks_count - first;
    }
};

// Refuses with EINVAL and one line (without name and line end) in `reason`.
Result<Geometry> check_superblock(const Superblock& super, uint64_t device_bytes, TextSink& reason);

// What e2fsprogs calls the feature of a bit; null where it has no name.
constexpr const char* kIncompatibleNames[32] = {"compression",
                                                "filetype",
                                                "needs_recovery",
                                                "journal_dev",
                                                "meta_bg",
                                                nullptr,
                                                "extent",
                                                "64bit",
                                                "mmp",
                                                "flex_bg",
                                                "ea_inode",
                                                nullptr,
                                                "dirdata",
                                                "metadata_csum_seed",
                                                "large_dir",
                                                "inline_data",
                                                "encrypt",
                                                "casefold"};
constexpr const char* kCompatibleNames[32] = {
    nullptr, nullptr, nullptr, nullptr,       nullptr, nullptr,      nullptr,
    nullptr, nullptr, nullptr, "fast_commit", nullptr, "orphan_file"};
constexpr const char* kReadOnlyNames[32] = {
    "sparse_super", "large_file", "btree_dir",     "huge_file", "uninit_bg",     "dir_nlink",
    "extra_isize",  "snapshot",   "quota",         "bigalloc",  "metadata_csum", "replica",
    "read-only",    "project",    "shared_blocks", "verity",    "orphan_present"};

// The names of the bits of `flags` that are not in `known`, separated by blanks.
void name_features(uint32_t flags, uint32_t known, const char* const (&names)[32], TextSink& to);

// What a disk without ext2's magic looks like by the bytes at `position`; "" if nothing known.
std::string_view recognise(std::span<const uint8_t> bytes, uint32_t position);
bool is_all_zero(std::span<const uint8_t> bytes);

}  // namespace ext2
