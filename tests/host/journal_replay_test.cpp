// sources: fs/journal/superblock.cpp fs/journal/replay.cpp kernel/lib/format.cpp
// Replaying a journal: the same as e2fsck makes of a copy, for logs of both writers; damage is refused
// before anything is written, and never goes unseen where there are checksums.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "fs/journal/replay.hpp"
#include "tests/host/support/journal_image.hpp"

namespace {

using namespace journal;
using Bytes = std::vector<uint8_t>;

class ImageStore final : public LogStore {
  public:
    explicit ImageStore(JournalImage& image) : image_(image) {}
    Result<std::span<const uint8_t>> read(uint32_t index) override {
        if (index == bad_block) return Errno::io;
        last_ = image_.block(image_.map().at(index));  // what was read before is gone
        return std::span<const uint8_t>(last_);
    }
    Result<void> write(uint32_t block, std::span<const uint8_t> contents) override {
        if (!may_write(block)) throw std::runtime_error("write outside");
        std::memcpy(image_.at(block), contents.data(), contents.size());
        return {};
    }
    bool may_write(uint32_t block) const override {
        return block < image_.file_system().blocks_count &&
               std::find(image_.map().begin(), image_.map().end(), block) == image_.map().end();
    }
    uint32_t bad_block = 0;

  private:
    JournalImage& image_;
    Bytes last_;
};

struct Outcome {
    Errno error;
    std::string reason;
    uint32_t transactions, written, revoked, next;
};

// As a mount does it, up to the journal's superblock.
Outcome replay(JournalImage& image, uint32_t bad_block = 0) {
    char text[160];
    BufferSink why(text);
    Result<Shape> shape =
        check_superblock(image.superblock(), image.file_system().log_block_size == 0 ? 1024 : 4096,
                         static_cast<uint32_t>(image.map().size()), why);
    if (shape.is_error()) return {shape.error(), std::string(why.view()), 0, 0, 0, 0};
    ImageStore store(image);
    store.bad_block = bad_block;
    Replay replay(shape.value(), store);
    Result<void> done = replay.scan();
    if (done.is_ok()) done = replay.write_back();
    if (done.is_error()) return {done.error(), std::string(replay.reason()), 0, 0, 0, 0};
    set_log(image.superblock(), replay.next_sequence(), 0);
    return {
        {}, "", replay.transactions(), replay.written(), replay.revoked(), replay.next_sequence()};
}

Bytes filled(uint32_t size, uint32_t seed) {
    Bytes bytes(size);
    std::mt19937 random(seed);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
    if (seed % 5 == 0) number_at(bytes, 0) = kMagic;
    return bytes;
}

struct Kind {
    uint32_t block_size;
    Checksums checksums;
};
void PrintTo(const Kind& kind, std::ostream* out) {
    *out << kind.block_size << " bytes, checksums " << static_cast<int>(kind.checksums);
}

class Replayed : public ::testing::TestWithParam<Kind> {
  protected:
    uint32_t size() const { return GetParam().block_size; }
    bool sums() const { return GetParam().checksums != Checksums::none; }
    JournalImage image{size(), GetParam().checksums, size() == 1024 ? 6144u : 12288u};
    std::vector<uint32_t> free = image.free_blocks(300);

    // A log of random transactions, somewhere in the ring; the last one may lack its commit.
    void random_log(uint32_t seed, bool whole = false) {
        std::mt19937 random(seed);
        image.begin(random() % 1000, random() % 3 ? random() : -random() % 4);
        const uint32_t count = 1 + random() % 6;
        for (uint32_t i = 0; i < count; ++i) {
            std::map<uint32_t, Bytes> chosen;
            std::vector<uint32_t> revokes;
            const uint32_t most = random() % 4 ? 8 : 140;  // more than one descriptor
            for (uint32_t n = 1 + random() % most; n; --n)
                chosen[free[random() % (2 * most)]] = filled(size(), random());
            std::vector<LogBlock> blocks;
            for (const auto& [target, bytes] : chosen) blocks.push_back({target, bytes});
            for (uint32_t n = random() % 6; n; --n) revokes.push_back(free[random() % 16]);
            image.transaction(blocks, revokes, whole || i + 1 < count || random() % 3);
        }
        image.finish();
    }
    std::vector<Bytes> contents(JournalImage& of) {
        std::vector<Bytes> list;
        for (uint32_t block : free) list.push_back(of.block(block));
        return list;
    }
};

TEST_P(Replayed, AsE2fsckDoes) {
    const Bytes pristine = image.bytes;
    for (uint32_t seed = 0; seed < 8; ++seed) {
        image.bytes = pristine;
        random_log(seed);
        JournalImage theirs = image;
        ASSERT_LE(theirs.e2fsck("-p").status, 1);
        const Outcome outcome = replay(image);
        ASSERT_EQ(outcome.error, Errno{}) << outcome.reason;
        ASSERT_EQ(contents(image), contents(theirs)) << "seed " << seed;
        ASSERT_EQ(outcome.next, theirs.superblock().sequence);
    }
}

TEST_P(Replayed, ASingleTransaction) {
    image.begin(0, 7);
    image.transaction({{free[0], filled(size(), 1)}, {free[1], filled(size(), 5)}}, {free[1]});
    image.finish();
    const Outcome outcome = replay(image);
    EXPECT_EQ(outcome.transactions, 1u);
    EXPECT_EQ(outcome.written, 1u);
    EXPECT_EQ(outcome.revoked, 1u) << "a revoke wins in its own transaction";
    EXPECT_EQ(outcome.next, 9u);
    EXPECT_EQ(image.block(free[0]), filled(size(), 1));
    EXPECT_EQ(image.block(free[1]), Bytes(size(), 0));
    EXPECT_EQ(replay(image).transactions, 0u) << "the log is empty now";
}

TEST_P(Replayed, AnEmptyLogIsNoChange) {
    const Bytes before = image.bytes;
    EXPECT_EQ(replay(image).transactions, 0u);
    set_log(image.superblock(), 1, 0);
    EXPECT_EQ(image.bytes, before);
}

// Where a log is damaged, and what is said.
TEST_P(Replayed, DamageIsRefusedBeforeAnythingIsWritten) {
    image.begin(0, 7);
    image.transaction({{free[0], filled(size(), 1)}}, {free[9]});  // blocks 1 to 4
    image.transaction({{free[1], filled(size(), 2)}}, {});         // 5 to 7
    image.transaction({{free[2], filled(size(), 3)}}, {});
    image.finish();
    const Bytes good = image.bytes;
    auto after = [&](uint32_t block, uint32_t offset, uint8_t flip) {
        image.bytes = good;
        image.log_block(block)[offset] ^= flip;
        const Bytes before = image.bytes;
        const Outcome outcome = replay(image);
        EXPECT_EQ(outcome.error == Errno::inval, image.bytes == before);
        return outcome.reason;
    };
    const std::string no_end = "transaction 7 of the journal: it does not reach its commit block";
    EXPECT_EQ(after(1, 0, 1), no_end);     // the first block's magic
    EXPECT_EQ(after(2, 11, 4), no_end);    // a descriptor's sequence
    EXPECT_EQ(after(4, 3, 0x80), no_end);  // the commit block's
    EXPECT_EQ(after(2, 4, 1), no_end);     // a kind that there is not
    EXPECT_EQ(after(1, 12, 0x40),          // length of a revoke block
              GetParam().checksums >= Checksums::v2
                  ? "transaction 7 of the journal: bad checksum of a revoke block"
                  : "transaction 7 of the journal: a revoke block that says it is longer than a "
                    "block");
    EXPECT_EQ(after(2, 12, 0x70),  // a target
              GetParam().checksums >= Checksums::v2
                  ? "transaction 7 of the journal: bad checksum of a descriptor"
                  : "transaction 7 of the journal: a block that is not the file system's");
    const std::string data = after(3, 500, 1), commit = after(4, 50, 1), revoke = after(1, 19, 1);
    if (GetParam().checksums == Checksums::v1) {
        EXPECT_EQ(data, "transaction 7 of the journal: bad checksum");
    } else if (sums()) {
        EXPECT_EQ(data, "transaction 7 of the journal: bad checksum of a block");
        EXPECT_EQ(commit, "transaction 7 of the journal: bad checksum of its commit block");
        EXPECT_EQ(revoke, "transaction 7 of the journal: bad checksum of a revoke block");
    } else {
        EXPECT_EQ(data + commit + revoke, "") << "nobody can tell";
    }
}

TEST_P(Replayed, ATargetInTheJournalIsRefused) {
    image.begin(0, 7);
    image.transaction({{image.map()[0], filled(size(), 1)}}, {});
    image.finish();
    EXPECT_EQ(replay(image).reason,
              "transaction 7 of the journal: a block that is not the file system's");
}

TEST_P(Replayed, AnUnreadableLogIsAnError) {
    image.begin(0, 7);
    image.transaction({{free[0], filled(size(), 1)}}, {});
    image.finish();
    EXPECT_EQ(replay(image, 1).error, Errno::io);
}

// A descriptor whose blocks would run once around the ring.
TEST_P(Replayed, ALogThatRunsIntoItselfEnds) {
    image.begin(0, 7);
    image.finish();
    Bytes head(size());
    for (uint32_t at = 1; at < image.shape().ring.end;) {
        DescriptorWriter out(image.shape().format, head, 7);
        uint32_t count = 0;
        for (; count < 60; ++count) out.add(free[count], false, filled(size(), 1));
        out.finish();
        std::memcpy(image.log_block(at), head.data(), size());
        at += count + 1;
    }
    EXPECT_EQ(replay(image).transactions, 0u);
}

// Random damage: refused with a reason, or, of what is whole, all. With checksums the rest is all
// transactions, or all but the last, whose commit block may look like one that never came.
TEST_P(Replayed, AnyDamage) {
    const Bytes pristine = image.bytes;
    std::mt19937 random(5);
    uint32_t refused = 0, taken = 0;
    for (uint32_t round = 0; round < 40; ++round) {
        image.bytes = pristine;
        random_log(round, true);
        const uint32_t used =
            image.shape().ring.distance(image.superblock().start, image.log_position());
        JournalImage whole = image;
        const uint32_t transactions = replay(whole).transactions;
        for (uint32_t n = 1 + random() % 3; n; --n) {
            const uint32_t block =
                image.shape().ring.ahead(image.superblock().start, random() % used);
            const uint32_t offset = random() % 2 ? random() % 40 : random() % size();
            image.log_block(block)[offset] ^= static_cast<uint8_t>(1 + random() % 255);
        }
        const Bytes before = image.bytes;
        const Outcome outcome = replay(image);
        if (outcome.error != Errno{}) {
            EXPECT_EQ(outcome.error, Errno::inval);
            EXPECT_NE(outcome.reason, "");
            EXPECT_EQ(image.bytes, before);
            ++refused;
            continue;
        }
        ++taken;
        if (!sums()) continue;
        EXPECT_GE(outcome.transactions + 1, transactions) << "round " << round;
        if (outcome.transactions == transactions && GetParam().checksums >= Checksums::v2) {
            EXPECT_EQ(contents(image), contents(whole)) << "round " << round;
        }
    }
    EXPECT_GT(refused, 2u);
    EXPECT_TRUE(sums() || taken > 10) << taken;
}

INSTANTIATE_TEST_SUITE_P(Kinds, Replayed,
                         ::testing::Values(Kind{1024, Checksums::none}, Kind{4096, Checksums::none},
                                           Kind{1024, Checksums::v1}, Kind{1024, Checksums::v2},
                                           Kind{4096, Checksums::v3}));

// ---- logs of debugfs ----

TEST(ReplayOfDebugfs, WhatItWrote) {
    JournalImage image(1024, Checksums::none, 6144);
    const std::vector<uint32_t> free = image.free_blocks(200);
    const std::filesystem::path contents =
        std::filesystem::temp_directory_path() / ("contents" + std::to_string(getpid()));
    std::ofstream(contents, std::ios::binary) << std::string(150 * 1024, 'j');
    // 124 tags fill a descriptor, without the mark of the last.
    const std::string blocks = std::to_string(free[0]) + "-" + std::to_string(free[149]);
    const std::string revoked = std::to_string(free[3]) + "," + std::to_string(free[149]);
    image.debugfs_script("jo\njw -b " + blocks + " " + contents.string() + "\njw -r " + revoked +
                         "\njc\n");
    std::filesystem::remove(contents);
    ASSERT_NE(image.superblock().start, 0u);
    JournalImage theirs = image;
    ASSERT_LE(theirs.e2fsck("-p").status, 1);
    const Outcome outcome = replay(image);
    EXPECT_EQ(outcome.error, Errno{}) << outcome.reason;
    EXPECT_EQ(outcome.transactions, 2u);
    EXPECT_EQ(outcome.written, 148u);
    EXPECT_EQ(outcome.revoked, 2u);
    for (uint32_t block : free) EXPECT_EQ(image.block(block), theirs.block(block)) << block;
    EXPECT_EQ(image.block(free[100]), Bytes(1024, 'j'));
}

TEST(ReplayOfDebugfs, ItsLogdumpReadsOurs) {
    JournalImage image(1024, Checksums::none, 6144);
    image.begin(0, 5);
    image.transaction({{4000, Bytes(1024, 1)}, {4001, Bytes(1024, 2)}}, {4002});
    image.finish();
    const std::string text = image.debugfs("logdump -a").text;
    EXPECT_NE(text.find("FS block 4000 logged at journal block 3 (flags 0x0)"), text.npos) << text;
    EXPECT_NE(text.find("FS block 4001 logged at journal block 4 (flags 0xa)"), text.npos) << text;
    EXPECT_NE(text.find("Revoke FS block 4002"), text.npos) << text;
    EXPECT_NE(text.find("sequence 5, type 2 (commit block) at block 5"), text.npos) << text;
}

}  // namespace
