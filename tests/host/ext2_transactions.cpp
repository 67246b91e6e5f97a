// Transactions of ext2 with a journal, with e2fsck as the judge: what was fsynced, a log that cannot
// be written, the smallest journal, freed blocks that are used again. Part of vfs_test.
#include <algorithm>

#include "fs/ext2/layout.hpp"
#include "fs/mount.hpp"
#include "tests/host/support/ext2_check.hpp"
#include "tests/host/support/journal_image.hpp"

namespace {

class Ext3Transactions : public ::testing::TestWithParam<uint32_t> {
  protected:
    Ext3Transactions() {
        start_file_room();
        log_lines.clear();
    }
    JournalImage image{GetParam(), journal::Checksums::none, GetParam() == 1024 ? 6144u : 12288u};

    Errno fsync(const View& v, const char* name) {
        return error(v.open(name).value()->sync(false));
    }
    // The disk as a cut of power leaves it now, after e2fsck has replayed its log.
    std::vector<uint8_t> after_cut(const ImageDisk& disk) {
        std::vector<uint8_t> bytes = disk.bytes;
        const Checked replayed = e2fsck(bytes, "-p");
        EXPECT_LE(replayed.status, 1) << replayed.text;
        EXPECT_NE(replayed.text.find("recovering journal"), replayed.text.npos);
        const Checked whole = e2fsck(bytes, "-fn");
        EXPECT_EQ(whole.status, 0) << whole.text;
        return bytes;
    }
};
INSTANTIATE_TEST_SUITE_P(BlockSizes, Ext3Transactions, ::testing::Values(1024u, 4096u));

TEST_P(Ext3Transactions, WhatWasFsyncedIsThereAfterACut) {
    ImageDisk& d = make_disk(image.bytes);
    View v = mount_writable(d);
    for (const char* name : {"/a", "/b", "/c"}) {
        ASSERT_EQ(v.write(name, "small"), Errno{});
        ASSERT_EQ(fsync(v, name), Errno{});
        View cut = View::of_disk(make_disk(after_cut(d)));
        EXPECT_EQ(cut.read(name), "small");
    }
    stop(v);
}

TEST_P(Ext3Transactions, ALogThatCannotBeWrittenMakesItReadOnly) {
    ImageDisk& d = make_disk(image.bytes);
    View v = mount_writable(d);
    ASSERT_EQ(v.write("/old", "precious"), Errno{});
    ASSERT_EQ(sync(v), Errno{});
    for (uint32_t i = 1; i < image.map().size(); ++i)
        d.unwritable_sectors.insert(uint64_t{image.map()[i]} * (GetParam() / kSectorSize));
    ASSERT_EQ(v.write("/new", "lost"), Errno{});
    EXPECT_EQ(fsync(v, "/new"), Errno::io);
    EXPECT_TRUE(v.root.mount().file_system->read_only());
    EXPECT_EQ(v.write("/more", ""), Errno::rofs);
    EXPECT_EQ(v.read("/old"), "precious");
    EXPECT_EQ(std::count_if(log_lines.begin(), log_lines.end(),
                            [](const std::string& line) {
                                return line.find("read-only from now on") != line.npos;
                            }),
              1);
    View cut = View::of_disk(make_disk(after_cut(d)));
    EXPECT_EQ(cut.read("/old"), "precious");
    EXPECT_EQ(cut.error_of("/new"), Errno::noent);
}

TEST_P(Ext3Transactions, AFreedBlockOfADirectoryIsAFilesContents) {
    ImageDisk& d = make_disk(image.bytes);
    View v = mount_writable(d);
    ASSERT_TRUE(vfs_mkdir(v, v.cwd, "/d", 0755).is_ok());
    ASSERT_EQ(v.write("/d/inside", ""), Errno{});
    ASSERT_EQ(sync(v), Errno{});
    ASSERT_TRUE(vfs_unlink(v, v.cwd, "/d/inside").is_ok());
    ASSERT_TRUE(vfs_rmdir(v, v.cwd, "/d").is_ok());
    ASSERT_EQ(sync(v), Errno{});
    static_cast<void>(v.write("/all", std::string(16 << 20, 'x')));  // as far as there is room
    ASSERT_EQ(fsync(v, "/all"), Errno{});
    View cut = View::of_disk(make_disk(after_cut(d)));
    const std::string text = cut.read("/all");
    EXPECT_GT(text.size(), size_t{1} << 20);
    EXPECT_EQ(text.find_first_not_of('x'), text.npos);
    stop(v);
}

// Of a file and a folder, in two folders: at each cut both names are as before, or both as after.
TEST_P(Ext3Transactions, NamesAreExchangedInOneTransaction) {
    ImageDisk& d = make_disk(image.bytes);
    View v = mount_writable(d);
    for (const char* name : {"/a", "/b", "/b/d"})
        ASSERT_TRUE(vfs_mkdir(v, v.cwd, name, 0755).is_ok());
    ASSERT_EQ(v.write("/a/f", "file"), Errno{});
    ASSERT_EQ(v.write("/b/d/x", "inside"), Errno{});
    ASSERT_EQ(sync(v), Errno{});
    std::vector<uint8_t> bytes = d.bytes;
    std::vector<ImageDisk::Write> writes;
    d.log = &writes;
    auto exchange = [&](const char* one, const char* other) {
        return error(vfs_rename(v, v.cwd, one, v.cwd, other, Rename::exchange));
    };
    EXPECT_EQ(exchange("/a/f", "/b/none"), Errno::noent);
    EXPECT_EQ(exchange("/b", "/b/d"), Errno::inval);
    EXPECT_EQ(exchange("/a/f", "/b/d"), Errno{});
    EXPECT_EQ(v.read("/b/d"), "file");
    EXPECT_EQ(v.list("/a/f"), (std::vector<std::string>{".", "..", "x"}));
    EXPECT_EQ(v.read("/a/f/../f/x"), "inside");
    ASSERT_EQ(sync(v), Errno{});
    bool before = false, after = false;
    for (const ImageDisk::Write& write : writes) {
        std::copy(write.bytes.begin(), write.bytes.end(),
                  bytes.begin() + static_cast<long>(write.sector * kSectorSize));
        std::vector<uint8_t> cut = bytes;
        const Checked replayed = e2fsck(cut, "-p");
        EXPECT_LE(replayed.status, 1) << replayed.text;
        View then = View::of_disk(make_disk(cut));
        const bool is_new = then.read("/b/d") == "file";
        EXPECT_EQ(then.read(is_new ? "/a/f/x" : "/b/d/x"), "inside");
        if (!is_new) {
            EXPECT_EQ(then.read("/a/f"), "file");
        }
        before |= !is_new;
        after |= is_new;
    }
    EXPECT_TRUE(before && after);
    EXPECT_EQ(exchange("/a/f", "/b/d"), Errno{});
    EXPECT_EQ(exchange("/a", "/b"), Errno{});
    EXPECT_EQ(v.read("/b/f"), "file");
    stop(v);
    const Checked check = e2fsck(d.bytes, "-fn");
    EXPECT_EQ(check.status, 0) << check.text;
}

TEST_P(Ext3Transactions, ManyOperationsInTheSmallestJournal) {
    ImageDisk& d = make_disk(image.bytes);
    View v = mount_writable(d);
    for (int round = 0; round < 2; ++round) {
        int made = 0;
        while (v.write("/file-with-a-longer-name-" + std::to_string(made), "x") == Errno{}) ++made;
        EXPECT_GT(made, 500);
        static_cast<void>(after_cut(d));
        for (int i = 0; i <= made; ++i)
            vfs_unlink(v, v.cwd, "/file-with-a-longer-name-" + std::to_string(i)).is_ok();
    }
    stop(v);
    const Checked check = e2fsck(d.bytes, "-fn");
    EXPECT_EQ(check.status, 0) << check.text;
}

}  // namespace
