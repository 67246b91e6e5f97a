// Mounting ext3: the log is replayed before anything is read, as e2fsck does with a copy; what is
// damaged stays as it is, and the file system can be read. Part of vfs_test.
#include <unistd.h>

#include <random>

#include "fs/ext2/layout.hpp"
#include "fs/mount.hpp"
#include "fs/page_cache.hpp"
#include "tests/host/support/ext2_check.hpp"
#include "tests/host/support/journal_image.hpp"

namespace {

using journal::Checksums;

bool logged(std::string_view part) {
    return std::any_of(log_lines.begin(), log_lines.end(),
                       [&](const std::string& line) { return line.find(part) != line.npos; });
}

struct Kind {
    uint32_t block_size;
    Checksums checksums;
};
void PrintTo(const Kind& kind, std::ostream* out) {
    *out << kind.block_size << " bytes, checksums " << static_cast<int>(kind.checksums);
}

class Ext3 : public ::testing::TestWithParam<Kind> {
  protected:
    Ext3() {
        start_file_room();
        log_lines.clear();
        clear_mount_refusals();
    }
    uint32_t size() const { return GetParam().block_size; }
    JournalImage image{size(), GetParam().checksums, size() == 1024 ? 6144u : 12288u};

    // A log with all that debugfs changes when it runs these lines; the disk is as before.
    void log_changes(const std::string& script) {
        JournalImage after = image;
        after.debugfs_script(script);
        after.file_system().features_incompatible |= ext2::kIncompatRecover;
        std::vector<LogBlock> changed;
        for (uint32_t i = size() == 1024; i < image.file_system().blocks_count; ++i)
            if (after.block(i) != image.block(i)) changed.push_back({i, after.block(i)});
        ASSERT_GT(changed.size(), 2u);
        image.begin(2, 0xffffffff);
        image.transaction(changed, {});
        image.finish();
    }
    // "" if it can be mounted (for reading); else why not.
    std::string refusal(const ImageDisk& disk) {
        Result<Path> root = mount_root(disk.name(), true);
        return root.is_ok() ? "" : std::string(mount_refusals());
    }
};

TEST_P(Ext3, TheLogIsReplayedBeforeAnythingIsRead) {
    log_changes("mkdir made\\nsymlink made/link /etc/passwd\\n");
    JournalImage theirs = image;
    ASSERT_LE(theirs.e2fsck("-p").status, 1);
    ImageDisk& disk = make_disk(image.bytes);
    {
        View view = View::of_disk(disk);  // for reading only, and yet
        EXPECT_TRUE(logged("1 transactions of the journal were replayed"));
        EXPECT_EQ(view.list("made"), (std::vector<std::string>{".", "..", "link"}));
    }
    JournalImage ours = image;
    ours.bytes = disk.bytes;
    EXPECT_FALSE(ours.file_system().features_incompatible & ext2::kIncompatRecover);
    EXPECT_EQ(ours.superblock().start, 0u);
    EXPECT_EQ(ours.superblock().sequence, 1u) << "ffffffff, 0, 1";
    for (uint32_t block = 2; block < ours.file_system().blocks_count; ++block)
        if (block != ours.map()[0]) {
            ASSERT_EQ(ours.block(block), theirs.block(block)) << block;
        }
    EXPECT_EQ(ours.e2fsck("-fn").status, 0) << ours.e2fsck("-fn").text;
}

// What was read of the disk earlier must not be seen again.
TEST_P(Ext3, WhatIsCachedOfTheDiskIsForgotten) {
    log_changes("mkdir made\\n");
    JournalImage before = image;
    before.file_system().features_incompatible &= ~ext2::kIncompatRecover;
    journal::set_log(before.superblock(), 1, 0);
    ImageDisk& disk = make_disk(before.bytes);
    EXPECT_EQ(View::of_disk(disk).error_of("made"), Errno::noent);
    disk.bytes = image.bytes;
    PageCache* cache = device_cache(disk).release_value();
    // The superblock is what another program would have written through the cache.
    std::memcpy(cache->page(0).value().data() + 1024, &disk.bytes[1024], 1024);
    EXPECT_EQ(error(View::of_disk(disk).at("made")), Errno{});
}

TEST_P(Ext3, AReadOnlyDiskThatNeedsRecoveryIsRefused) {
    log_changes("mkdir made\\n");
    ImageDisk& disk = make_disk(image.bytes);
    disk.write_protected = true;
    EXPECT_NE(refusal(disk).find("needs_recovery, but the disk is read-only"), std::string::npos);
    EXPECT_EQ(disk.bytes, image.bytes);
}

TEST_P(Ext3, ACutAnywhereInTheReplayIsReplayedAgain) {
    log_changes("mkdir made\\nmkdir made/deep\\n");
    ImageDisk& whole = make_disk(image.bytes);
    View::of_disk(whole);
    const uint64_t writes = whole.writes;
    for (uint64_t cut = 0; cut < writes; ++cut) {
        ImageDisk& disk = make_disk(image.bytes);
        disk.writes_left = cut;
        refusal(disk);
        ImageDisk& again = make_disk(disk.bytes);
        View view = View::of_disk(again);
        EXPECT_EQ(view.list("made"), (std::vector<std::string>{".", "..", "deep"}))
            << "cut after " << cut;
    }
}

TEST_P(Ext3, DamageIsToldAndNothingIsWritten) {
    log_changes("mkdir made\\n");
    auto said = [&](auto change, std::string_view reason) {
        JournalImage damaged = image;
        change(damaged);
        ImageDisk& disk = make_disk(damaged.bytes);
        log_lines.clear();
        View view = View::of_disk(disk);
        EXPECT_TRUE(logged("stays read-only: " + std::string(reason))) << reason;
        EXPECT_EQ(view.error_of("lost+found"), Errno{});
        EXPECT_EQ(disk.bytes, damaged.bytes);
        EXPECT_EQ(error(view.root.mount().file_system->set_read_only(false)), Errno{});
        EXPECT_EQ(view.write("x", "y"), Errno::rofs);
    };
    const uint32_t start = image.superblock().start;
    said([&](JournalImage& i) { i.log_block(start)[3] ^= 1; },
         "transaction 4294967295 of the journal: it does not reach its commit block");
    said([](JournalImage& i) { i.superblock().header.magic = 0; }, "bad magic 0x00000000");
    said([](JournalImage& i) { i.journal_inode().links_count = 0; },
         "the journal's inode is damaged");
    said([](JournalImage& i) { i.journal_inode().mode = 040755; },
         "the journal's inode is damaged");
    said([](JournalImage& i) { i.journal_inode().size_low = 0; },
         "the journal has a bad size of 0 blocks");
    said([&](JournalImage& i) { i.journal_inode().size_low -= size(); }, "the journal has 1024");
    said([](JournalImage& i) { i.journal_inode().size_high = 1; }, "the journal has a bad size");
    said([](JournalImage& i) { i.journal_inode().block[3] = 0; },
         "block 3 of the journal is not where it can be");
    said([](JournalImage& i) { i.journal_inode().block[5] = 0xffffff; },
         "block 5 of the journal is not where it can be");
    said([&](JournalImage& i) { i.journal_inode().block[5] = size() == 1024 ? 3 : 2; },
         "block 5 of the journal is not where it can be");  // a bitmap
    said([](JournalImage& i) { i.journal_inode().block[7] = i.journal_inode().block[2]; },
         "block 7 of the journal belongs to it twice");
    said([](JournalImage& i) { i.journal_inode().block[12] = 0xffffff; },
         "block 12 of the journal is not where it can be");
}

TEST_P(Ext3, WhatWeDoNotKnowIsNamed) {
    auto refused = [&](auto change) {
        JournalImage other = image;
        change(other);
        return refusal(make_disk(other.bytes));
    };
    EXPECT_NE(refused([](JournalImage& i) {
                  i.file_system().journal_device = 0x801;
                  i.file_system().journal_inode = 0;
              }).find("its journal is on another disk (external journal): unsupported"),
              std::string::npos);
    EXPECT_NE(refused([](JournalImage& i) {
                  i.file_system().journal_inode = 12;
              }).find("the journal is inode 12, not 8"),
              std::string::npos);
    EXPECT_NE(refused([](JournalImage& i) {
                  i.file_system().features_compatible &= ~ext2::kCompatJournal;
                  i.file_system().features_incompatible |= ext2::kIncompatRecover;
              }).find("needs_recovery, but there is no journal"),
              std::string::npos);
    refused([](JournalImage& i) { i.file_system().features_compatible |= 0x1400; });
    EXPECT_TRUE(logged("read-only because of features: fast_commit orphan_file"));
    refused([](JournalImage& i) {
        i.superblock().features_incompatible =
            i.superblock().features_incompatible | journal::kIncompatFastCommit;
        journal::set_log(i.superblock(), 1, 0);
    });
    EXPECT_TRUE(logged("stays read-only: unsupported feature of the journal: fast_commit"));
}

// The flag is clear, and yet there is a log: as Linux does, the superblock is believed.
TEST_P(Ext3, ALogThatDoesNotCountIsDropped) {
    log_changes("mkdir made\\n");
    image.file_system().features_incompatible &= ~ext2::kIncompatRecover;
    ImageDisk& disk = make_disk(image.bytes);
    EXPECT_EQ(View::of_disk(disk).error_of("made"), Errno::noent);
    EXPECT_TRUE(logged("a log that does not count is dropped"));
    image.bytes = disk.bytes;
    EXPECT_EQ(image.superblock().start, 0u);
    EXPECT_EQ(image.superblock().sequence, 1u);
    EXPECT_EQ(image.e2fsck("-p").status, 0);
}

// An error that another system left in the journal: the disk is checked.
TEST_P(Ext3, AnErrorInTheJournalAsksForACheck) {
    log_changes("mkdir made\\n");
    image.superblock().error = 5;
    journal::set_log(image.superblock(), image.superblock().sequence, image.superblock().start);
    ImageDisk& disk = make_disk(image.bytes);
    View view = View::of_disk(disk);
    EXPECT_TRUE(logged("not cleanly unmounted: it is checked"));
    EXPECT_EQ(error(view.at("made")), Errno{});
    image.bytes = disk.bytes;
    EXPECT_EQ(image.superblock().error, 0u);
}

TEST_P(Ext3, AnyDamageOfTheLog) {
    log_changes("mkdir made\\nmkdir made/deep\\n");
    std::mt19937 random(size());
    for (uint32_t round = 0; round < 24; ++round) {
        JournalImage damaged = image;
        for (uint32_t n = 1 + random() % 4; n; --n) {
            const uint32_t block =
                random() % 4 ? damaged.shape().ring.ahead(image.superblock().start, random() % 8)
                             : random() % 2;
            damaged.log_block(block)[random() % (random() % 2 ? 48 : size())] =
                static_cast<uint8_t>(random());
        }
        ImageDisk& disk = make_disk(damaged.bytes);
        Result<Path> root = mount_root(disk.name(), false);
        if (root.is_error()) {
            EXPECT_NE(mount_refusals(), "");
            continue;
        }
        View view;
        view.root = view.cwd = root.value();
        view.list("made");
        stop(view);
    }
}

INSTANTIATE_TEST_SUITE_P(Kinds, Ext3,
                         ::testing::Values(Kind{1024, Checksums::none}, Kind{4096, Checksums::none},
                                           Kind{1024, Checksums::v2}, Kind{4096, Checksums::v3}));

}  // namespace
