// ext2 that was not unmounted in order, or is damaged in ways that e2fsck -p mends: our mount mends it
// before anybody writes, and e2fsck finds nothing afterwards. What e2fsck would ask about is mounted
// read-only. Part of vfs_test, so that the file room is compiled once.
#include <algorithm>

#include "fs/mount.hpp"
#include "tests/host/support/ext2_check.hpp"
#include "tests/host/support/file_room.hpp"

namespace {

class Ext2Repair : public ::testing::TestWithParam<int> {
  protected:
    // With a few files and folders, and then changed by these commands of debugfs.
    ImageDisk& damaged(const std::string& changes, const std::string& more = "") {
        std::string commands = "mkdir /u\nmkdir /u/deep\nwrite /etc/services /u/long\n";
        commands += "write /etc/hostname /u/short\nsymlink /u/link short\n" + changes;
        return make_disk(
            make_image("-b " + std::to_string(GetParam()) + " " + more, 4096, commands.c_str()));
    }
    void expect_clean(ImageDisk& d) {
        const Checked check = e2fsck(d.bytes, "-fn");
        EXPECT_EQ(check.status, 0) << check.text;
    }
    void expect_mended(const std::string& changes) {
        SCOPED_TRACE(changes);
        ImageDisk& d = damaged(changes + "ssv state 0\n");
        std::vector<uint8_t> copy = d.bytes;
        EXPECT_LE(e2fsck(copy, "-p").status, 1);
        View v = mount_writable(d);
        EXPECT_FALSE(v.root.mount().file_system->read_only());
        EXPECT_EQ(v.write("/new", "fresh"), Errno{});
        EXPECT_EQ(v.read("/new"), "fresh");
        stop(v);
        expect_clean(d);
    }
    void expect_left_alone(const std::string& changes) {
        SCOPED_TRACE(changes);
        ImageDisk& d = damaged(changes + "ssv state 0\n");
        const std::vector<uint8_t> before = d.bytes;
        log_lines.clear();
        View v = mount_writable(d);
        EXPECT_TRUE(v.root.mount().file_system->read_only());
        EXPECT_EQ(v.write("/new", "x"), Errno::rofs);
        EXPECT_TRUE(std::any_of(log_lines.begin(), log_lines.end(), [](const std::string& line) {
            return line.find("stays read-only") != line.npos;
        }));
        stop(v);
    }
};
INSTANTIATE_TEST_SUITE_P(BlockSizes, Ext2Repair, ::testing::Values(1024, 2048, 4096));

TEST_P(Ext2Repair, AStaleNameAdoptsNobody) {
    ImageDisk& d = damaged("write /etc/hostname /u/old\nfreei /u/old\nclri /u/old\nssv state 0\n");
    View v = mount_writable(d);
    for (int i = 0; i < 40; ++i) EXPECT_EQ(v.write("/f" + std::to_string(i), "secret"), Errno{});
    EXPECT_EQ(v.error_of("/u/old"), Errno::noent);
    stop(v);
    expect_clean(d);
}

TEST_P(Ext2Repair, WhatE2fsckMendsIsMended) {
    expect_mended("");
    expect_mended("sif /u/short links_count 7\n");
    expect_mended("sif /u links_count 9\n");
    expect_mended("sif /u/short dtime 12345678\n");
    expect_mended("sif /u/long blocks 2\n");
    expect_mended("sif /u/long size 10\n");
    expect_mended("freeb 300 40\n");
    expect_mended("setb 900 40\n");
    expect_mended("seti <100>\n");
    expect_mended("freei /u/long\n");
    expect_mended("ssv free_blocks_count 5\nssv free_inodes_count 7\n");
    expect_mended("set_bg 0 free_blocks_count 3\nset_bg 0 used_dirs_count 40\n");
}

TEST_P(Ext2Repair, WhatE2fsckAsksAboutStaysReadOnly) {
    expect_left_alone("sif /u/long block[1] 1\n");         // metadata
    expect_left_alone("sif /u/long block[1] 99999999\n");  // not on the disk
    expect_left_alone("unlink /u/deep\n");                 // a folder without a name
    expect_left_alone("unlink /u/long\n");                 // a file without one
    expect_left_alone("ln /u/deep /u/again\n");            // a folder with two
    expect_left_alone("sif /u mode 0177777\n");
    expect_left_alone("ssv last_orphan 4000000\n");
}

TEST_P(Ext2Repair, ACutInTheMidstOfRepairIsRepaired) {
    const std::string changes =
        "sif /u/short links_count 7\nsif /u/long blocks 2\nfreei /u/long\nseti <100>\n"
        "write /etc/hostname /u/old\nfreei /u/old\nclri /u/old\nssv state 0\n";
    for (uint64_t writes = 0; writes < 8; ++writes) {
        ImageDisk& d = damaged(changes);
        d.writes_left = writes;
        mount_root(d.name(), false).is_ok();
        d.writes_left = 0;
        ImageDisk& after = make_disk(d.bytes);
        View v = mount_writable(after);
        EXPECT_FALSE(v.root.mount().file_system->read_only());
        stop(v);
        expect_clean(after);
    }
}

}  // namespace
