// Names and places: path resolution, permissions, and the rules of the calls that change the tree,
// over tmpfs; the page cache as the place where its files live.
// timeout: 500
// sources: tests/host/ext2_images.cpp tests/host/ext2_journal.cpp tests/host/ext2_repairs.cpp tests/host/ext2_writing.cpp tests/host/ext2_reservations.cpp tests/host/ext2_transactions.cpp tests/host/ext2_ordered.cpp file_room
#include "fs/mount.hpp"
#include "tests/host/support/file_room.hpp"

namespace {

struct Vfs : ::testing::Test {
    View v = View::of_tmpfs();

    Errno mkdir(std::string_view name, uint32_t mode = 0755) {
        return error(vfs_mkdir(v, v.cwd, name, mode));
    }
    Errno symlink(std::string_view target, std::string_view name) {
        return error(vfs_symlink(v, target, v.cwd, name));
    }
    Errno rename(std::string_view from, std::string_view to) {
        return error(vfs_rename(v, v.cwd, from, v.cwd, to));
    }
    Errno exchange(std::string_view a, std::string_view b) {
        return error(vfs_rename(v, v.cwd, a, v.cwd, b, Rename::exchange));
    }
    Errno unlink(std::string_view name) { return error(vfs_unlink(v, v.cwd, name)); }
    Errno rmdir(std::string_view name) { return error(vfs_rmdir(v, v.cwd, name)); }
    Attributes stat(std::string_view name) {
        return vfs_stat(v, v.cwd, name, Follow::no).release_value();
    }
    Errno chmod(std::string_view name, uint32_t mode) {
        SetAttributes changes;
        changes.set_mode = true;
        changes.mode = mode;
        return error(vfs_set_attributes(v, v.at(name).release_value(), changes));
    }
    Errno chown(std::string_view name, uint32_t uid, uint32_t gid) {
        SetAttributes changes;
        changes.set_uid = changes.set_gid = true;
        changes.uid = uid;
        changes.gid = gid;
        return error(vfs_set_attributes(v, v.at(name).release_value(), changes));
    }
};
constexpr Errno kOk{};

TEST_F(Vfs, PathResolution) {
    ASSERT_EQ(mkdir("/d"), kOk);
    ASSERT_EQ(mkdir("/d/e"), kOk);
    ASSERT_EQ(v.write("/d/f", "text"), kOk);
    EXPECT_EQ(v.read("//d/./e/..///f"), "text");
    EXPECT_EQ(v.read("/../../d/f"), "text");
    EXPECT_EQ(v.error_of(""), Errno::noent);
    EXPECT_EQ(v.error_of("/d/f/"), Errno::notdir);
    EXPECT_EQ(v.error_of("/d/f/."), Errno::notdir);
    EXPECT_EQ(v.error_of("/d/f/x"), Errno::notdir);
    EXPECT_EQ(v.error_of("/d/none/x"), Errno::noent);
    EXPECT_EQ(v.error_of("/d/e/"), kOk);
    EXPECT_EQ(v.error_of("/" + std::string(255, 'x')), Errno::noent);
    EXPECT_EQ(v.error_of("/" + std::string(256, 'x')), Errno::nametoolong);
    EXPECT_EQ(v.error_of(std::string(4095, '/')), kOk);
    EXPECT_EQ(v.error_of(std::string(4096, '/')), Errno::nametoolong);
    EXPECT_EQ(v.name_of(v.at("d/e").release_value()), "/d/e");
    EXPECT_EQ(v.name_of(v.root), "/");
}

TEST_F(Vfs, SymbolicLinks) {
    mkdir("/d");
    v.write("/d/f", "text");
    symlink("d", "/l");
    symlink("/l/f", "/d/absolute");
    symlink("loop2", "/loop1");
    symlink("loop1", "/loop2");
    symlink("nowhere", "/dangling");
    symlink("/", "/top");
    EXPECT_EQ(v.read("/l/f"), "text");
    EXPECT_EQ(v.read("/d/absolute"), "text");
    EXPECT_EQ(v.read("/l/../l/absolute"), "text");
    EXPECT_EQ(v.read("/top/d/f"), "text");
    EXPECT_EQ(v.error_of("/top"), kOk);
    EXPECT_EQ(v.error_of("/loop1"), Errno::loop);
    EXPECT_EQ(v.error_of("/loop1/x"), Errno::loop);
    EXPECT_EQ(v.error_of("/dangling"), Errno::noent);
    EXPECT_EQ(v.error_of("/dangling", Follow::no), kOk);
    EXPECT_EQ(v.error_of("/l/", Follow::no), kOk);
    EXPECT_TRUE(stat("/l").is_symlink());
    EXPECT_TRUE(stat("/l/").is_directory());
    EXPECT_EQ(error(v.open("/l", kOpenNoFollow)), Errno::loop);
    EXPECT_EQ(error(v.open("/l", kOpenNoFollow | kOpenDirectory)), Errno::notdir);
    EXPECT_EQ(error(v.open("/l", kOpenNoFollow | kOpenPath)), kOk);
    EXPECT_EQ(v.write("/dangling", "made"), kOk);  // creates what it points to
    EXPECT_EQ(v.read("/nowhere"), "made");
    EXPECT_EQ(error(v.open("/l", kOpenCreate | kOpenExclusive)), Errno::exist);
    char buffer[4];
    EXPECT_EQ(vfs_readlink(v, v.cwd, "/d/absolute", buffer).release_value(), 4u);
    EXPECT_EQ(error(vfs_readlink(v, v.cwd, "/d/f", buffer)), Errno::inval);
    // 40 links are followed, 41 are not.
    symlink("/d", "/n0");
    for (int i = 1; i <= 40; ++i) symlink("/n" + std::to_string(i - 1), "/n" + std::to_string(i));
    EXPECT_EQ(v.error_of("/n39"), kOk);
    EXPECT_EQ(v.error_of("/n40"), Errno::loop);
}

TEST_F(Vfs, OpenRules) {
    mkdir("/d");
    v.write("/f", "0123456789");
    EXPECT_EQ(error(v.open("/d", kOpenWriteOnly)), Errno::isdir);
    EXPECT_EQ(error(v.open("/d", kOpenCreate)), Errno::isdir);
    EXPECT_EQ(error(v.open("/new/", kOpenCreate)), Errno::isdir);
    EXPECT_EQ(error(v.open("/f", kOpenDirectory)), Errno::notdir);
    EXPECT_EQ(error(v.open("/f", kOpenCreate | kOpenExclusive)), Errno::exist);
    EXPECT_EQ(error(v.open("/g")), Errno::noent);
    v.umask = 027;
    Ref<File> file =
        v.open("/g", kOpenCreate | kOpenReadWrite | kOpenCloseOnExec, 0666).release_value();
    EXPECT_EQ(stat("/g").mode, kTypeRegular | 0640);
    EXPECT_EQ(file->flags(), kOpenReadWrite | kOpenLargeFile);
    EXPECT_EQ(v.name_of(file->path()), "/g");
    EXPECT_EQ(v.write("/f", "ab", kOpenAppend), kOk);
    EXPECT_EQ(v.read("/f"), "0123456789ab");
    EXPECT_EQ(v.write("/f", "xy", 0), kOk);
    EXPECT_EQ(v.read("/f"), "xy23456789ab");
    EXPECT_EQ(v.write("/f", "z", kOpenTruncate), kOk);
    EXPECT_EQ(v.read("/f"), "z");
    EXPECT_EQ(error(vfs_truncate(v, v.at("/f").release_value(), 3ull << 30)), kOk);
    EXPECT_EQ(error(vfs_open(v, v.cwd, "/f", 0, 0)), Errno::overflow);
    EXPECT_EQ(error(v.open("/f")), kOk);
}

TEST_F(Vfs, OffsetsAndSeeking) {
    v.write("/f", "0123456789");
    Ref<File> file = v.open("/f", kOpenReadWrite).release_value();
    EXPECT_EQ(file->seek(4, 0).release_value(), 4u);
    EXPECT_EQ(file->seek(-2, 2).release_value(), 8u);
    EXPECT_EQ(error(file->seek(-9, 1)), Errno::inval);
    EXPECT_EQ(error(file->seek(0, 9)), Errno::inval);
    EXPECT_EQ(error(file->seek(INT64_MAX, 2)), Errno::overflow);
    EXPECT_EQ(error(file->seek(10, 3)), Errno::nxio);
    EXPECT_EQ(file->seek(3, 4).release_value(), 10u);
    EXPECT_EQ(file->seek(100'000, 0).release_value(), 100'000u);
    const uint8_t text[] = {'e', 'n', 'd'};
    KernelSource source(text);
    EXPECT_EQ(file->write(source).release_value(), 3u);
    std::string all = v.read("/f");
    EXPECT_EQ(all.size(), 100'003u);
    EXPECT_EQ(all.substr(0, 12), std::string("0123456789\0\0", 12));
    EXPECT_EQ(all.substr(99'999), std::string("\0end", 4));
    // What was cut off does not come back.
    EXPECT_EQ(error(file->truncate(5)), kOk);
    EXPECT_EQ(error(file->truncate(20)), kOk);
    EXPECT_EQ(v.read("/f"), std::string("01234") + std::string(15, '\0'));
}

TEST_F(Vfs, PermissionsAndOwnership) {
    mkdir("/open", 0777);
    chmod("/open", 0777);
    mkdir("/closed", 0700);
    v.write("/closed/f", "secret");
    v.write("/readable", "text");
    v.become(100, 100);
    EXPECT_EQ(v.error_of("/closed/f"), Errno::acces);
    EXPECT_EQ(v.error_of("/closed"), kOk);
    EXPECT_EQ(v.read("/readable"), "text");
    EXPECT_EQ(v.write("/readable", "x", 0), Errno::acces);
    EXPECT_EQ(v.write("/new", "x"), Errno::acces);
    EXPECT_EQ(v.write("/open/mine", "x"), kOk);
    EXPECT_EQ(stat("/open/mine").uid, 100u);
    EXPECT_EQ(chmod("/readable", 0777), Errno::perm);
    EXPECT_EQ(chmod("/open/mine", 0600), kOk);
    EXPECT_EQ(chown("/open/mine", 101, 100), Errno::perm);
    EXPECT_EQ(chown("/open/mine", 100, 200), Errno::perm);
    v.credentials.groups[v.credentials.group_count++] = 200;
    EXPECT_EQ(chown("/open/mine", 100, 200), kOk);
    v.become(101, 101);
    v.credentials.group_count = 0;
    EXPECT_EQ(v.read("/open/mine"), "?13");
    v.become(101, 200);
    EXPECT_EQ(v.read("/open/mine"), "?13");  // 0600
    SetAttributes now;
    now.set_times = now.set_accessed = now.set_modified = now.times_are_now = true;
    EXPECT_EQ(error(vfs_set_attributes(v, v.at("/open/mine").release_value(), now)), Errno::acces);
    now.times_are_now = false;
    EXPECT_EQ(error(vfs_set_attributes(v, v.at("/open/mine").release_value(), now)), Errno::perm);
    v.become(0, 0);
    EXPECT_EQ(v.read("/open/mine"), "x");
    EXPECT_EQ(error(vfs_access(v, v.cwd, "/open/mine", kMayExecute, Follow::yes)), Errno::acces);
    EXPECT_EQ(error(vfs_access(v, v.cwd, "/open", kMayExecute, Follow::yes)), kOk);
}

TEST_F(Vfs, StickyAndSetGroupIdDirectories) {
    mkdir("/tmp");
    chmod("/tmp", 01777);
    mkdir("/shared");
    chown("/shared", 0, 300);
    chmod("/shared", 02777);
    v.become(100, 100);
    v.write("/tmp/mine", "x");
    EXPECT_EQ(v.write("/shared/f", "x"), kOk);
    EXPECT_EQ(stat("/shared/f").gid, 300u);
    mkdir("/shared/d");
    EXPECT_EQ(stat("/shared/d").mode & kModeSetGid, kModeSetGid);
    v.become(101, 101);
    EXPECT_EQ(unlink("/tmp/mine"), Errno::perm);
    EXPECT_EQ(rename("/tmp/mine", "/tmp/theirs"), Errno::perm);
    EXPECT_EQ(unlink("/shared/f"), kOk);
    v.become(100, 100);
    EXPECT_EQ(unlink("/tmp/mine"), kOk);
}

TEST_F(Vfs, RemovingNames) {
    mkdir("/d");
    v.write("/d/f", "text");
    EXPECT_EQ(rmdir("/d"), Errno::notempty);
    EXPECT_EQ(rmdir("/d/f"), Errno::notdir);
    EXPECT_EQ(unlink("/d"), Errno::isdir);
    EXPECT_EQ(rmdir("/d/."), Errno::inval);
    EXPECT_EQ(rmdir("/d/.."), Errno::notempty);
    EXPECT_EQ(rmdir("/"), Errno::busy);
    EXPECT_EQ(unlink("/d/none"), Errno::noent);
    EXPECT_EQ(unlink("/d/f/"), Errno::notdir);
    Ref<File> file = v.open("/d/f").release_value();
    EXPECT_EQ(unlink("/d/f"), kOk);
    EXPECT_EQ(v.error_of("/d/f"), Errno::noent);
    EXPECT_EQ(file->end_offset(), 4u);  // lives on while open
    EXPECT_EQ(v.name_of(file->path()), "/d/f (deleted)");
    Path old = v.at("/d").release_value();
    EXPECT_EQ(rmdir("/d"), kOk);
    EXPECT_TRUE(path_removed(old));
    EXPECT_EQ(error(vfs_open(v, old, "new", kOpenCreate | kOpenLargeFile, 0600)), Errno::noent);
    EXPECT_EQ(mkdir("/d/"), kOk);
    EXPECT_EQ(mkdir("/d"), Errno::exist);
    EXPECT_EQ(mkdir("/"), Errno::exist);
    EXPECT_EQ(mkdir("/d/x/y"), Errno::noent);
}

TEST_F(Vfs, Links) {
    v.write("/f", "text");
    mkdir("/d");
    EXPECT_EQ(error(vfs_link(v, v.cwd, "/f", v.cwd, "/d/g", Follow::no)), kOk);
    EXPECT_EQ(stat("/f").links, 2u);
    EXPECT_EQ(error(vfs_link(v, v.cwd, "/d", v.cwd, "/e", Follow::no)), Errno::perm);
    EXPECT_EQ(error(vfs_link(v, v.cwd, "/f", v.cwd, "/d", Follow::no)), Errno::exist);
    EXPECT_EQ(error(vfs_link(v, v.cwd, "/f", v.cwd, "/x/", Follow::no)), Errno::noent);
    unlink("/f");
    EXPECT_EQ(v.read("/d/g"), "text");
    EXPECT_EQ(stat("/d/g").links, 1u);
}

TEST_F(Vfs, RenameRules) {
    mkdir("/a");
    mkdir("/a/b");
    mkdir("/c");
    v.write("/f", "f");
    v.write("/g", "g");
    EXPECT_EQ(rename("/none", "/x"), Errno::noent);
    EXPECT_EQ(rename("/a", "/a/b/x"), Errno::inval);
    EXPECT_EQ(rename("/a", "/a/x"), Errno::inval);
    EXPECT_EQ(rename("/a/b", "/a"), Errno::notempty);
    EXPECT_EQ(rename("/a", "/f"), Errno::notdir);
    EXPECT_EQ(rename("/f", "/a"), Errno::isdir);
    EXPECT_EQ(rename("/c", "/a"), Errno::notempty);
    EXPECT_EQ(rename("/a/.", "/x"), Errno::busy);
    EXPECT_EQ(rename("/f", "/x/"), Errno::notdir);
    EXPECT_EQ(rename("/f", "/f"), kOk);
    EXPECT_EQ(rename("/f", "/g"), kOk);
    EXPECT_EQ(v.read("/g"), "f");
    EXPECT_EQ(v.error_of("/f"), Errno::noent);
    Path b = v.at("/a/b").release_value();
    EXPECT_EQ(rename("/a/b", "/c"), kOk);  // replaces the empty directory
    EXPECT_EQ(v.name_of(b), "/c");
    EXPECT_EQ(stat("/a").links, 2u);
    EXPECT_EQ(rename("/g", "/c/longer name"), kOk);
    EXPECT_EQ(v.read("/c/longer name"), "f");
    EXPECT_EQ(rename("/c", "/a/deep"), kOk);
    EXPECT_EQ(v.read("/a/deep/../deep/longer name"), "f");
    EXPECT_EQ(v.name_of(b), "/a/deep");
    error(vfs_link(v, v.cwd, "/a/deep/longer name", v.cwd, "/same", Follow::no));
    EXPECT_EQ(rename("/same", "/a/deep/longer name"), kOk);  // one file: nothing happens
    EXPECT_EQ(v.error_of("/same"), kOk);
}

TEST_F(Vfs, NamesAreExchanged) {
    mkdir("/a");
    mkdir("/a/b");
    mkdir("/c");
    v.write("/c/f", "f");
    Path b = v.at("/a/b").release_value();
    EXPECT_EQ(exchange("/a/b", "/c/f"), kOk);
    EXPECT_EQ(v.read("/a/b"), "f");
    EXPECT_EQ(v.name_of(b), "/c/f");
    EXPECT_EQ(stat("/a").links, 2u);
    EXPECT_EQ(stat("/c").links, 3u);
    EXPECT_EQ(v.list("/c/f"), v.list("/c/f/../f"));
    EXPECT_EQ(exchange("/a", "/c"), kOk);
    EXPECT_EQ(v.read("/c/b"), "f");
    EXPECT_EQ(v.name_of(b), "/a/f");
    EXPECT_EQ(exchange("/a", "/a"), kOk);
    EXPECT_EQ(exchange("/a", "/a/f"), Errno::inval);
    EXPECT_EQ(exchange("/a/f", "/a"), Errno::inval);
    EXPECT_EQ(exchange("/a/f", "/none"), Errno::noent);
    EXPECT_EQ(exchange("/none", "/a"), Errno::noent);
    EXPECT_EQ(exchange("/c/b/", "/a"), Errno::notdir);
    EXPECT_EQ(exchange("/a/.", "/c"), Errno::busy);
}

TEST_F(Vfs, MountsCoverAndUncover) {
    mkdir("/m");
    v.write("/m/below", "x");
    ASSERT_EQ(error(vfs_mount(v, "none", "/m", "tmpfs", 0, "")), kOk);
    EXPECT_EQ(v.error_of("/m/below"), Errno::noent);
    v.write("/m/above", "y");
    EXPECT_EQ(v.name_of(v.at("/m/above").release_value()), "/m/above");
    EXPECT_EQ(v.error_of("/m/../m/above"), kOk);
    EXPECT_EQ(rename("/m/above", "/above"), Errno::xdev);
    EXPECT_EQ(rmdir("/m"), Errno::busy);
    EXPECT_EQ(rename("/m", "/n"), Errno::busy);
    mkdir("/bound");
    ASSERT_EQ(error(vfs_mount(v, "/m", "/bound", "", kMountBind, "")), kOk);
    EXPECT_EQ(v.read("/bound/above"), "y");
    EXPECT_EQ(v.error_of("/bound/../m/above"), kOk);
    ASSERT_EQ(error(vfs_mount(v, "", "/m", "", kMountRemount | kMountReadOnly, "")), kOk);
    EXPECT_EQ(v.write("/m/new", "z"), Errno::rofs);
    EXPECT_EQ(v.write("/bound/new", "z"), kOk);
    {
        Path inside = v.at("/m").release_value();
        EXPECT_EQ(error(vfs_unmount(v, "/m", 0)), Errno::busy);
    }
    EXPECT_EQ(error(vfs_unmount(v, "/m", 0)), kOk);
    EXPECT_EQ(v.read("/m/below"), "x");
    EXPECT_EQ(v.read("/bound/new"), "z");
    EXPECT_EQ(error(vfs_unmount(v, "/bound", 0)), kOk);
    EXPECT_EQ(error(vfs_unmount(v, "/bound", 0)), Errno::inval);
    EXPECT_EQ(error(vfs_mount(v, "none", "/m", "nofs", 0, "")), Errno::nodev);
    EXPECT_EQ(error(vfs_mount(v, "none", "/m/below", "tmpfs", 0, "")), Errno::notdir);
    v.become(5, 5);
    EXPECT_EQ(error(vfs_mount(v, "none", "/m", "tmpfs", 0, "")), Errno::perm);
}

TEST_F(Vfs, ChrootIsTheTop) {
    mkdir("/jail");
    mkdir("/jail/d");
    v.write("/outside", "x");
    View jailed = v;
    ASSERT_EQ(error(vfs_chroot(jailed, v.at("/jail").release_value())), kOk);
    jailed.cwd = jailed.root;
    EXPECT_EQ(jailed.error_of("/../outside"), Errno::noent);
    EXPECT_EQ(jailed.error_of("d/../../../outside"), Errno::noent);
    EXPECT_EQ(jailed.name_of(v.at("/jail/d").release_value()), "/d");
    EXPECT_EQ(jailed.name_of(v.at("/outside").release_value()).substr(0, 13), "(unreachable)");
}

TEST_F(Vfs, ListingsOfMounts) {
    char buffer[2000];
    BufferSink text(buffer);
    list_mounts(v, text);
    EXPECT_NE(text.view().find("none / tmpfs rw,relatime 0 0\n"), std::string_view::npos)
        << text.view();
}

// Pages that are the only copy stay when memory is short; the names and clean pages go.
TEST_F(Vfs, ShortageDoesNotTouchTmpfs) {
    v.write("/f", std::string(1 << 20, 'x'));
    for (int i = 0; i < 100; ++i) (void)v.error_of("/none" + std::to_string(i));
    EXPECT_GT(shrink_dentries(UINT32_MAX), 99u);
    EXPECT_EQ(v.read("/f"), std::string(1 << 20, 'x'));
}

}  // namespace
