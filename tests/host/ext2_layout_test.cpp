// ext2's superblock checks, feature names, directory entries and the path through index blocks.
// sources: fs/ext2/geometry.cpp kernel/lib/format.cpp
#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "fs/ext2/block_map.hpp"
#include "fs/ext2/geometry.hpp"

using namespace ext2;

namespace {

// 4 MiB in 1 KiB blocks, one group, 1024 inodes.
Superblock good() {
    Superblock s{};
    s.inodes_count = 1024;
    s.blocks_count = 4096;
    s.first_data_block = 1;
    s.blocks_per_group = 8192;
    s.inodes_per_group = 1024;
    s.magic = kMagic;
    s.revision = 1;
    s.first_inode = 11;
    s.inode_size = 128;
    s.features_incompatible = kIncompatFiletype;
    s.features_read_only = kReadOnlySparseSuper | kReadOnlyLargeFile;
    return s;
}

std::string refusal(const Superblock& super, uint64_t bytes = 4 << 20) {
    char buffer[200];
    BufferSink reason(buffer);
    return check_superblock(super, bytes, reason).is_ok() ? "" : std::string(reason.view());
}

TEST(Ext2Superblock, GoodOnesGiveTheShape) {
    char buffer[200];
    BufferSink reason(buffer);
    Result<Geometry> g = check_superblock(good(), 4 << 20, reason);
    ASSERT_TRUE(g.is_ok()) << reason.view();
    EXPECT_EQ(g.value().block_size(), 1024u);
    EXPECT_EQ(g.value().groups, 1u);
    EXPECT_EQ(g.value().descriptor_table, 2u);
    EXPECT_EQ(g.value().overhead, 1u + 2 + 2 + 128);
    Superblock old = good();
    old.revision = 0;
    old.inode_size = 0;
    old.features_incompatible = 0xffffffff;  // no such field in revision 0
    Result<Geometry> h = check_superblock(old, 4 << 20, reason);
    ASSERT_TRUE(h.is_ok()) << reason.view();
    EXPECT_EQ(h.value().inode_size, 128u);
    EXPECT_FALSE(h.value().has_file_types);
}

TEST(Ext2Superblock, EachBadNumberIsRefusedByName) {
    struct Case {
        const char* reason;
        std::function<void(Superblock&)> spoil;
    };
    const Case cases[] = {
        {"bad magic 0x0000", [](auto& s) { s.magic = 0; }},
        {"unknown revision 2", [](auto& s) { s.revision = 2; }},
        {"unsupported features: extent 64bit", [](auto& s) { s.features_incompatible |= 0xc0; }},
        {"unsupported features: bit 31", [](auto& s) { s.features_incompatible |= 1u << 31; }},
        {"unsupported block size 2^13", [](auto& s) { s.log_block_size = 3; }},
        {"unsupported block size 2^4294967305", [](auto& s) { s.log_block_size = 0xffffffff; }},
        {"bad inode size 0", [](auto& s) { s.inode_size = 0; }},
        {"bad inode size 192", [](auto& s) { s.inode_size = 192; }},
        {"bad inode size 2048", [](auto& s) { s.inode_size = 2048; }},
        {"bad first inode 3", [](auto& s) { s.first_inode = 3; }},
        {"bad first data block 0", [](auto& s) { s.first_data_block = 0; }},
        {"bad number of blocks per group 0", [](auto& s) { s.blocks_per_group = 0; }},
        {"bad number of blocks per group 8193", [](auto& s) { s.blocks_per_group = 8193; }},
        {"bad number of inodes per group 0", [](auto& s) { s.inodes_per_group = 0; }},
        {"bad number of blocks 1", [](auto& s) { s.blocks_count = 1; }},
        {"bad number of inodes 1025", [](auto& s) { s.inodes_count = 1025; }},
        {"bad number of inodes 10", [](auto& s) { s.inodes_count = 10; }},
        {"the disk is smaller than its file system (4096 of 4097 KiB): truncated?",
         [](auto& s) { s.blocks_count = 4097; }},
    };
    for (const Case& c : cases) {
        Superblock super = good();
        c.spoil(super);
        EXPECT_EQ(refusal(super), c.reason);
    }
}

TEST(Ext2Geometry, DescriptorsOfMetaGroups) {
    Superblock super = good();
    super.blocks_count = 100 * 8192;
    super.inodes_count = 100 * 1024;
    super.features_incompatible |= kIncompatMetaGroups;
    super.first_meta_group = 1;
    char buffer[200];
    BufferSink reason(buffer);
    const Geometry g = check_superblock(super, uint64_t{super.blocks_count} << 10, reason).value();
    EXPECT_EQ(g.descriptor_blocks(), 4u);  // 32 groups in each
    EXPECT_EQ(g.descriptor_block(0), 2u);
    EXPECT_EQ(g.descriptor_block(1), 1 + 32 * 8192u);  // no superblock in group 32
    EXPECT_EQ(g.descriptor_block(2), 1 + 64 * 8192u);
    EXPECT_EQ(g.meta_head(31), 0u);
    EXPECT_EQ(g.meta_head(32), 1u);
    EXPECT_EQ(g.meta_head(34), 0u);
    EXPECT_EQ(g.meta_head(63), 1u);
    EXPECT_EQ(g.meta_head(49), 1u);  // a superblock's copy: 7 * 7
}

TEST(Ext2Features, AreNamedAsE2fsprogsNamesThem) {
    char buffer[200];
    BufferSink text(buffer);
    name_features(0x410 | kKnownReadOnly, kKnownReadOnly, kReadOnlyNames, text);
    EXPECT_EQ(text.view(), "uninit_bg metadata_csum");
}

TEST(Ext2Strangers, AreRecognised) {
    std::vector<uint8_t> page(4096);
    EXPECT_TRUE(is_all_zero(page));
    EXPECT_EQ(recognise(page, 0), "");
    memcpy(page.data() + 1, "CD001", 5);
    EXPECT_EQ(recognise(page, 0x8000), "an ISO 9660 file system");
    memcpy(page.data() + 82, "FAT32", 5);
    EXPECT_EQ(recognise(page, 0), "a FAT file system");
    EXPECT_EQ(recognise(std::span(page).first(60), 0), "");
}

TEST(Ext2Directory, EntriesAreCheckedBeforeUse) {
    alignas(4) uint8_t block[1024] = {};
    auto put = [&](uint32_t at, uint32_t inode, uint16_t length, uint8_t name_length) {
        DirectoryEntry entry{inode, length, name_length, 1};
        memcpy(block + at, &entry, sizeof entry);
    };
    put(0, 12, 12, 4);
    memcpy(block + 8, "name", 4);
    const DirectoryEntry* entry = directory_entry_at(block, 0, 100);
    ASSERT_TRUE(entry);
    EXPECT_EQ(name_of(*entry), "name");
    struct Case {
        uint32_t at, inode;
        uint16_t length;
        uint8_t name_length;
    };
    const Case bad[] = {{0, 12, 0, 4},  {0, 12, 8, 0},     {0, 12, 14, 4},
                        {0, 12, 12, 5}, {0, 12, 1028, 4},  {0, 101, 12, 4},
                        {0, 12, 12, 0}, {1012, 12, 16, 4}, {0, 12, 0xfffc, 4}};
    for (const Case& c : bad) {
        put(c.at, c.inode, c.length, c.name_length);
        EXPECT_FALSE(directory_entry_at(block, c.at, 100)) << c.length << " " << c.inode;
    }
    EXPECT_FALSE(directory_entry_at(block, 1016, 100));
    EXPECT_FALSE(directory_entry_at(block, 2, 100));
    put(0, 0, 1024, 0);  // an empty block
    EXPECT_TRUE(directory_entry_at(block, 0, 100));
}

// Walks all levels back from the path to the block's number.
uint64_t number_of(const BlockPath& path, uint32_t bits) {
    if (path.levels == 0) return path.index[0];
    uint64_t number = kDirectBlocks, within = 0;
    for (uint32_t level = 1; level < path.levels; ++level) number += uint64_t{1} << (level * bits);
    for (uint32_t i = 1; i <= path.levels; ++i) within = within << bits | path.index[i];
    return number + within;
}

TEST(Ext2BlockMap, EveryEdgeOfEveryLevel) {
    for (uint32_t bits : {8u, 9u, 10u}) {
        const uint64_t p = 1ull << bits;
        const uint64_t edges[] = {12, 12 + p, 12 + p + p * p, 12 + p + p * p + p * p * p};
        for (uint32_t level = 0; level < 4; ++level) {
            auto last = static_cast<uint32_t>(edges[level] - 1);
            std::optional<BlockPath> path = block_path(last, bits);
            ASSERT_TRUE(path);
            EXPECT_EQ(path->levels, level);
            EXPECT_EQ(path->left, 1u);
            EXPECT_EQ(number_of(*path, bits), last);
            EXPECT_EQ(path->index[0], level == 0 ? 11 : 11 + level);
            path = block_path(last + 1, bits);
            ASSERT_EQ(path.has_value(), level < 3);
            if (!path) continue;
            EXPECT_EQ(path->levels, level + 1);
            EXPECT_EQ(path->left, p);
            EXPECT_EQ(number_of(*path, bits), last + 1ull);
        }
        for (uint32_t block = 1; block < edges[3] && block < 1u << 31; block = block * 3 + 1) {
            std::optional<BlockPath> path = block_path(block, bits);
            ASSERT_TRUE(path);
            EXPECT_EQ(number_of(*path, bits), block);
        }
        EXPECT_FALSE(block_path(0xffffffff, bits));
    }
}
static_assert(block_path(0, 10)->levels == 0 && block_path(12, 10)->index[0] == 12);

}  // namespace

[[noreturn]] void verify_failed(const char* condition, const char* file, int line) {
    std::fprintf(stderr, "VERIFY(%s) at %s:%d\n", condition, file, line);
    std::abort();
}
