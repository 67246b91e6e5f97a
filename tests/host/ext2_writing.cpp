// ext2 for writing: random operations compared with the same ones on the host's file system, on all
// block sizes, with e2fsck as the judge; room running out; cuts of power after every write. Part of
// vfs_test, so that the file room is compiled once.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <random>

#include "fs/ext2/layout.hpp"
#include "fs/inode_cache.hpp"
#include "fs/mount.hpp"
#include "fs/page_hash.hpp"
#include "tests/host/support/ext2_check.hpp"
#include "tests/host/support/file_room.hpp"
#include "tests/host/support/twins.hpp"

namespace {

// The parameter: the size of blocks, and one more with a journal.
class Ext2Writing : public ::testing::TestWithParam<int> {
  protected:
    int block() const { return GetParam() & ~1; }
    bool journaled() const { return GetParam() & 1; }
    // A journal takes 1,024 blocks, and mke2fs wants as many beside it.
    std::vector<uint8_t> image(uint64_t kib, const std::string& more = "") {
        const std::string options = "-b " + std::to_string(block()) + " " + more;
        if (!journaled()) return make_image(options, kib);
        const auto journal = static_cast<uint64_t>(block());  // in KiB
        return make_image(options + " -O has_journal", std::max(kib, journal) + journal);
    }
    ImageDisk& disk(uint64_t kib, const std::string& more = "") {
        return make_disk(image(kib, more));
    }
};
INSTANTIATE_TEST_SUITE_P(BlockSizes, Ext2Writing,
                         ::testing::Values(1024, 2048, 4096, 1024 | 1, 2048 | 1, 4096 | 1));

TEST_P(Ext2Writing, WhatIsWrittenStays) {
    ImageDisk& d = disk(16384);
    {
        View v = mount_writable(d);
        EXPECT_EQ(v.write("/a", "hello"), Errno{});
        EXPECT_EQ(v.read("/a"), "hello");
        EXPECT_TRUE(vfs_mkdir(v, v.cwd, "/dir", 0755).is_ok());
        EXPECT_EQ(v.write("/dir/b", std::string(100000, 'b')), Errno{});
        EXPECT_TRUE(vfs_symlink(v, "dir/b", v.cwd, "/link").is_ok());
        EXPECT_TRUE(vfs_symlink(v, std::string(200, '/') + "dir/b", v.cwd, "/slow").is_ok());
        EXPECT_EQ(sync(v), Errno{});
        stop(v);
    }
    Checked check = e2fsck(d.bytes, "-fn");
    EXPECT_EQ(check.status, 0) << check.text;
    View v = mount_writable(make_disk(d.bytes));
    EXPECT_EQ(v.read("/a"), "hello");
    EXPECT_EQ(v.read("/link"), std::string(100000, 'b'));
    EXPECT_EQ(v.read("/slow"), std::string(100000, 'b'));
    EXPECT_EQ(v.write("/link", "x", 0), Errno{});
    stop(v);
}

TEST_P(Ext2Writing, EveryIndexLevelIsWrittenAndCutOff) {
    ImageDisk& d = disk(8192);
    View v = mount_writable(d);
    const uint64_t size = static_cast<uint64_t>(block()), p = size / 4;
    const FileSystemStatistics before = vfs_statistics(v.root);
    ASSERT_EQ(v.write("/sparse", ""), Errno{});
    std::vector<uint64_t> blocks = {
        0, 11, 12, 11 + p, 12 + p, 11 + p + p * p, 12 + p + p * p, 12 + p + p * p + p * p + 5};
    for (uint64_t block : blocks)
        ASSERT_EQ(write_at(v, "/sparse", block * size + 7, "block " + std::to_string(block)),
                  Errno{});
    EXPECT_EQ(sync(v), Errno{});
    std::vector<uint8_t> copy = d.bytes;
    for (Checked check = e2fsck(copy, "-fn"); check.status > 0;) {
        EXPECT_NE(check.text.find("not cleanly"), check.text.npos) << check.text;
        break;
    }
    for (size_t keep = blocks.size(); keep-- > 0;) {
        Result<Ref<File>> file = v.open("/sparse", kOpenReadWrite);
        ASSERT_TRUE(file.value()->truncate(blocks[keep] * size + 9).is_ok());
        EXPECT_EQ(file.value()->attributes().value().size, blocks[keep] * size + 9);
    }
    EXPECT_EQ(v.read("/sparse").substr(7), "bl");
    ASSERT_TRUE(vfs_unlink(v, v.cwd, "/sparse").is_ok());
    EXPECT_EQ(vfs_statistics(v.root).free_blocks, before.free_blocks);
    EXPECT_EQ(vfs_statistics(v.root).free_files, before.free_files);
    stop(v);
    Checked check = e2fsck(d.bytes, "-fn");
    EXPECT_EQ(check.status, 0) << check.text;
}

TEST_P(Ext2Writing, AFileWrittenInOneGoLiesInOnePiece) {
    ImageDisk& d = disk(8192);
    View v = mount_writable(d);
    std::mt19937 random(1);
    const std::string text = noise(2 << 20, random);
    ASSERT_EQ(v.write("/big", text), Errno{});
    stop(v);
    const std::string_view all(reinterpret_cast<char*>(d.bytes.data()), d.bytes.size());
    size_t pieces = 1, last = all.find(text.substr(0, 1024));
    for (size_t at = 1024; at < text.size(); at += 1024) {
        if (all.substr(last + 1024, 1024) == text.substr(at, 1024)) {
            last += 1024;
            continue;
        }
        ++pieces;
        last = all.find(text.substr(at, 1024));
    }
    EXPECT_LE(pieces, 12u);  // index blocks lie between
}

TEST_P(Ext2Writing, RoomRunsOutAndComesBack) {
    ImageDisk& d = disk(1024, "-N 32");
    View v = mount_writable(d);
    const FileSystemStatistics before = vfs_statistics(v.root);
    int files = 0;
    Errno failed{};
    while (files < 100 && failed == Errno{}) failed = v.write("/f" + std::to_string(files++), "");
    EXPECT_EQ(failed, Errno::nospc);
    EXPECT_GT(files, 15);
    for (int i = 0; i + 1 < files; ++i)
        EXPECT_TRUE(vfs_unlink(v, v.cwd, "/f" + std::to_string(i)).is_ok());
    ASSERT_EQ(v.write("/big", ""), Errno{});
    EXPECT_EQ(write_at(v, "/big", 0, std::string(8 << 20, 'x')), Errno::nospc);
    EXPECT_LT(vfs_statistics(v.root).free_blocks, 2u);
    EXPECT_EQ(error(vfs_mkdir(v, v.cwd, "/d", 0755)), Errno::nospc);
    ASSERT_TRUE(vfs_unlink(v, v.cwd, "/big").is_ok());
    EXPECT_EQ(vfs_statistics(v.root).free_blocks, before.free_blocks);
    EXPECT_EQ(vfs_statistics(v.root).free_files, before.free_files);
    EXPECT_TRUE(vfs_mkdir(v, v.cwd, "/d", 0755).is_ok());
    stop(v);
    Checked check = e2fsck(d.bytes, "-fn");
    EXPECT_EQ(check.status, 0) << check.text;
}

TEST(Ext2Write, UnlinkedFilesLiveUntilTheirLastClose) {
    ImageDisk& d = make_disk(make_image("-b 1024", 2048));
    View v = mount_writable(d);
    const FileSystemStatistics before = vfs_statistics(v.root);
    ASSERT_EQ(v.write("/f", std::string(50000, 'f')), Errno{});
    {
        Ref<File> file = v.open("/f", kOpenReadWrite).release_value();
        ASSERT_TRUE(vfs_unlink(v, v.cwd, "/f").is_ok());
        EXPECT_EQ(v.error_of("/f"), Errno::noent);
        EXPECT_EQ(file->attributes().value().links, 0u);
        ASSERT_EQ(v.write("/f", "another"), Errno{});
        EXPECT_LT(vfs_statistics(v.root).free_blocks, before.free_blocks - 48);
        std::string text(50000, 0);
        KernelSink sink({reinterpret_cast<uint8_t*>(text.data()), text.size()});
        EXPECT_EQ(file->read_at(sink, 0).value(), 50000u);
        EXPECT_EQ(text, std::string(50000, 'f'));
        EXPECT_EQ(sync(v), Errno{});
    }
    ASSERT_TRUE(vfs_unlink(v, v.cwd, "/f").is_ok());
    EXPECT_EQ(vfs_statistics(v.root).free_blocks, before.free_blocks);
    stop(v);
    EXPECT_EQ(e2fsck(d.bytes, "-fn").status, 0);
}

// --- The same operations here and on the host.

int rounds(int few) {
    const char* wanted = std::getenv("ORRERY_FUZZ_ROUNDS");
    return wanted ? std::atoi(wanted) : few;
}

TEST_P(Ext2Writing, RandomOperationsDoWhatTheHostsDo) {
    for (int round = 0; round < rounds(1); ++round) {
        const uint32_t seed = static_cast<uint32_t>(round * 10 + GetParam());
        SCOPED_TRACE("seed " + std::to_string(seed));
        ImageDisk& d = disk(32768, "-N 512");
        {
            View v = mount_writable(d);
            Twins twins(v, seed);
            for (int i = 0; i < 1200 && !::testing::Test::HasFailure(); ++i) {
                SCOPED_TRACE("step " + std::to_string(i));
                twins.step();
                if (i % 97 == 0) sync(v);
                if (i % 101 == 0) {
                    shrink_dentries(UINT32_MAX);
                    shrink_inodes(UINT32_MAX);
                    while (reclaim_pages(1000)) {
                    }
                }
                if (i % 400 == 399) twins.compare();
            }
            twins.compare();
            stop(v);
            Checked check = e2fsck(d.bytes, "-fn");
            EXPECT_EQ(check.status, 0) << check.text;
            make_disk(d.bytes);
            shrink_dentries(UINT32_MAX);
        }
        d.bytes = {};
        if (HasFailure()) return;
    }
}

// --- Cuts of power.

// Runs random operations with a sync now and then until so many writes have reached the disk.
void run_until_cut(ImageDisk& d, uint32_t seed, uint64_t writes, std::string& fsynced) {
    d.writes_left = writes;
    View v = mount_writable(d);
    Twins twins(v, seed);
    for (int i = 0; i < 400 && d.writes_left; ++i) {
        twins.step();
        if (i % 37 == 36) sync(v);
        if (i == 200) {
            if (v.write("/kept", "precious") != Errno{}) continue;
            if (v.open("/kept").value()->sync(false).is_ok() && d.writes_left) fsynced = "precious";
        }
    }
    d.writes_left = 0;
    stop(v);
}

// Our own mount mends what is there, and e2fsck finds nothing afterwards.
void expect_repaired(const std::vector<uint8_t>& image, const std::string& fsynced) {
    ImageDisk& d = make_disk(image);
    View v = mount_writable(d);
    EXPECT_FALSE(v.root.mount().file_system->read_only());
    if (!fsynced.empty()) {
        EXPECT_EQ(v.read("/kept"), fsynced);
    }
    stop(v);
    const Checked check = e2fsck(d.bytes, "-fn");
    EXPECT_EQ(check.status, 0) << check.text;
    d.bytes = {};
}

TEST_P(Ext2Writing, AfterACutOfPowerE2fsckAsksNothing) {
    const std::vector<uint8_t> fresh = image(4096, "-N 256");
    std::mt19937 random(static_cast<uint32_t>(GetParam()));
    for (int round = 0; round < rounds(6); ++round) {
        const uint32_t seed = random();
        const uint64_t writes = 1 + random() % 700;
        SCOPED_TRACE("seed " + std::to_string(seed) + ", writes " + std::to_string(writes));
        ImageDisk& d = make_disk(fresh);
        std::string fsynced;
        run_until_cut(d, seed, writes, fsynced);
        std::vector<uint8_t> image = std::exchange(d.bytes, {});
        expect_repaired(image, fsynced);
        Checked check = e2fsck(image, "-p");
        EXPECT_LE(check.status, 1) << check.text;
        EXPECT_EQ(check.text.find("recovering journal") != check.text.npos, journaled());
        check = e2fsck(image, "-fn");
        EXPECT_EQ(check.status, 0) << check.text;
        if (fsynced.empty()) continue;
        View v = View::of_disk(make_disk(std::move(image)));
        EXPECT_EQ(v.read("/kept"), fsynced);
    }
}

}  // namespace
