// sources: fs/journal/superblock.cpp kernel/lib/format.cpp
// The journal's format: bytes worked out by hand, and logs of ours that e2fsck replays.
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "fs/journal/encode.hpp"
#include "fs/journal/superblock.hpp"
#include "tests/host/support/journal_image.hpp"

namespace {

using namespace journal;
using Bytes = std::vector<uint8_t>;

Bytes filled(uint32_t size, uint8_t byte) { return Bytes(size, byte); }

TEST(JournalFormat, ChecksumsOfTheKnownString) {
    const std::string text = "123456789";  // the usual check values of both, which end inverted
    const std::span<const uint8_t> bytes{reinterpret_cast<const uint8_t*>(text.data()), 9};
    EXPECT_EQ(~crc32c(~0u, bytes), 0xE3069283u);
    EXPECT_EQ(~crc32_be(~0u, bytes), 0xFC891918u);  // CRC-32/BZIP2
}

TEST(JournalFormat, TagsByFeatures) {
    struct Case {
        bool wide;
        Checksums checksums;
        uint32_t bytes, most;
    };
    // (1024 - 12 - 16 - tail) / bytes
    for (const Case& c : {Case{false, Checksums::none, 8, 124}, Case{true, Checksums::v1, 12, 83},
                          Case{false, Checksums::v2, 10, 99}, Case{true, Checksums::v2, 14, 70},
                          Case{false, Checksums::v3, 16, 62}}) {
        const Format format{1024, c.wide, c.checksums, 0};
        EXPECT_EQ(format.tag_bytes(), c.bytes);
        EXPECT_EQ(format.most_tags(), c.most);
    }
}

TEST(JournalFormat, ADescriptorByteByByte) {
    const Format format{1024, false, Checksums::none, 0};
    Bytes block = filled(1024, 0xaa), copy = filled(1024, 1);
    DescriptorWriter out(format, block, 0x01020304);
    out.add(0x11223344, false, copy);
    out.add(7, true, copy);
    out.finish();
    const uint8_t expected[] = {0xC0, 0x3B, 0x39, 0x98, 0, 0, 0, 1, 1, 2, 3, 4,  // header
                                0x11, 0x22, 0x33, 0x44, 0, 0, 0, 0,              // tag
                                0,    0,    0,    0,    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  // UUID
                                0,    0,    0,    7,    0, 0, 0, 11};  // escaped, same UUID, last
    EXPECT_EQ(Bytes(block.begin(), block.begin() + sizeof expected),
              Bytes(expected, expected + sizeof expected));
    EXPECT_EQ(Bytes(block.begin() + sizeof expected, block.end()),
              Bytes(1024 - sizeof expected, 0));
}

TEST(JournalFormat, OnlyTheMagicIsEscaped) {
    Bytes block = filled(1024, 5);
    EXPECT_FALSE(escape(block));
    number_at(block, 0) = kMagic;
    EXPECT_TRUE(escape(block));
    EXPECT_EQ(block[0] | block[1] | block[2] | block[3], 0);
    EXPECT_EQ(block[4], 5);
}

TEST(JournalFormat, TheRingTurns) {
    const Ring ring{1, 1024};
    EXPECT_EQ(ring.ahead(1023, 1), 1u);
    EXPECT_EQ(ring.ahead(1000, 1023), 1000u);
    EXPECT_EQ(ring.distance(1020, 4), 7u);
    EXPECT_EQ(ring.distance(4, 4), 0u);
}

// ---- superblocks ----

std::string reason_of(const Superblock& super, uint32_t blocks = 4096) {
    char text[160];
    BufferSink sink(text);
    Result<Shape> shape = check_superblock(super, 1024, blocks, sink);
    return shape.is_ok() ? "" : std::string(sink.view());
}

Superblock good_superblock() {
    Superblock super{};
    super.header.magic = kMagic;
    super.header.kind = 4;
    super.block_size = 1024;
    super.length = 1024;
    super.first = 1;
    super.sequence = 1;
    super.users = 1;
    return super;
}

TEST(JournalSuperblock, WhatIsRefusedAndWhy) {
    EXPECT_EQ(reason_of(good_superblock()), "");
    auto with = [](auto change) {
        Superblock super = good_superblock();
        change(super);
        return reason_of(super);
    };
    EXPECT_EQ(with([](auto& s) { s.header.magic = 5; }), "bad magic 0x00000005 of the journal");
    EXPECT_EQ(with([](auto& s) { s.header.kind = 1; }),
              "unknown version of the journal's superblock (block type 1)");
    EXPECT_EQ(with([](auto& s) { s.block_size = 4096; }),
              "the journal's blocks have 4096 bytes, the file system's 1024");
    EXPECT_EQ(with([](auto& s) { s.length = 4097; }), "the journal has 4097 blocks, its file 4096");
    EXPECT_EQ(with([](auto& s) { s.length = 1023; }), "the journal is too small (1023 blocks)");
    EXPECT_EQ(with([](auto& s) { s.first = 0; }), "bad first block 0 of the journal");
    EXPECT_EQ(with([](auto& s) { s.first = 1023; }), "bad first block 1023 of the journal");
    EXPECT_EQ(with([](auto& s) { s.start = 1024; }),
              "the log starts at block 1024, outside the journal");
    EXPECT_EQ(with([](auto& s) { s.features_incompatible = kIncompatFastCommit; }),
              "unsupported feature of the journal: fast_commit");
    EXPECT_EQ(with([](auto& s) { s.features_incompatible = 0x140; }),
              "unsupported features of the journal: 0x140");
    EXPECT_EQ(with([](auto& s) { s.features_read_only = 2; }),
              "unsupported features of the journal: read-only 0x2");
    EXPECT_EQ(with([](auto& s) { s.features_incompatible = 0x18; }),
              "the journal has two kinds of checksums");
    EXPECT_EQ(with([](auto& s) { s.features_incompatible = kIncompatChecksum3; }),
              "unknown kind 0 of the journal's checksums");
    auto sealed = [](auto& s) {
        s.features_incompatible = kIncompatChecksum3;
        s.checksum_type = kChecksumCrc32c;
        set_log(s, 9, 5);
    };
    EXPECT_EQ(with(sealed), "");
    EXPECT_EQ(with([&](auto& s) {
                  sealed(s);
                  s.sequence = 8;
              }),
              "bad checksum of the journal's superblock");
}

TEST(JournalSuperblock, RevokesNeedVersion2) {
    Superblock super = good_superblock();
    EXPECT_TRUE(allow_revokes(super));
    EXPECT_EQ(super.features_incompatible, kIncompatRevoke);
    super.header.kind = 3;
    EXPECT_FALSE(allow_revokes(super));
}

// ---- logs that e2fsck replays ----

class JournalLog : public ::testing::TestWithParam<std::pair<int, Checksums>> {
  protected:
    uint32_t block_size() const { return static_cast<uint32_t>(GetParam().first); }
    JournalImage image{block_size(), GetParam().second};
};

TEST_P(JournalLog, E2fsckReplaysIt) {
    image.begin(3, 0xfffffffe);  // so that ring and sequence both wrap
    const std::vector<uint32_t> free = image.free_blocks(600);
    // More blocks than a descriptor holds, one with the magic.
    Bytes magic = filled(block_size(), 3);
    number_at(magic, 0) = kMagic;
    std::vector<LogBlock> many;
    for (uint32_t i = 0; i < 550; ++i)
        many.push_back({free[i], i == 7 ? magic : filled(block_size(), static_cast<uint8_t>(i))});
    image.transaction(many, {});
    image.transaction({{free[1], filled(block_size(), 0xcc)}}, {free[2], free[3]});
    image.transaction({{free[3], filled(block_size(), 0xdd)}}, {});
    image.transaction({{free[4], filled(block_size(), 0xee)}}, {}, false);  // no commit
    image.finish();
    EXPECT_LE(image.e2fsck("-p").status, 1);
    EXPECT_EQ(image.block(free[0]), filled(block_size(), 0));
    EXPECT_EQ(image.block(free[1]), filled(block_size(), 0xcc));
    EXPECT_EQ(image.block(free[2]), filled(block_size(), 0)) << "revoked";
    EXPECT_EQ(image.block(free[3]), filled(block_size(), 0xdd)) << "after its revoke";
    EXPECT_EQ(image.block(free[4]), filled(block_size(), 4)) << "not committed";
    EXPECT_EQ(image.block(free[7]), magic);
    EXPECT_EQ(image.block(free[549]), filled(block_size(), 549 & 255));
    EXPECT_EQ(image.superblock().start, 0u);
    EXPECT_EQ(image.superblock().sequence, 2u);  // the last commit's (0) + 2
    EXPECT_EQ(image.e2fsck("-fn").status, 0);
}

INSTANTIATE_TEST_SUITE_P(
    Sizes, JournalLog,
    ::testing::Values(std::pair{1024, Checksums::none}, std::pair{4096, Checksums::none},
                      std::pair{1024, Checksums::v1}, std::pair{1024, Checksums::v2},
                      std::pair{4096, Checksums::v2}, std::pair{1024, Checksums::v3},
                      std::pair{4096, Checksums::v3}));

}  // namespace
