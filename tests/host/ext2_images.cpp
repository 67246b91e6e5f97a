// ext2 for reading, against what mke2fs wrote: every index level, holes, links,
// directories of any size, on all block sizes; damaged and foreign images; disk errors. Part of
// vfs_test, so that the file room is compiled once.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <random>

#include "fs/ext2/layout.hpp"
#include "fs/inode_cache.hpp"
#include "fs/mount.hpp"
#include "fs/page_hash.hpp"
#include "tests/host/support/file_room.hpp"

namespace {

namespace hostfs = std::filesystem;

std::string pattern(size_t bytes, uint32_t seed) {
    std::mt19937 random(seed);
    std::string text(bytes, 0);
    for (char& c : text) c = static_cast<char>(random());
    return text;
}

void put(const hostfs::path& path, std::string_view text) {
    std::ofstream(path, std::ios::binary) << text;
}

// A file of holes with a few bytes at each of these offsets.
void put_sparse(const hostfs::path& path, const std::vector<uint64_t>& offsets) {
    int fd = open(path.c_str(), O_CREAT | O_WRONLY, 0644);
    for (uint64_t at : offsets) {
        std::string text = "at " + std::to_string(at);
        ASSERT_EQ(pwrite(fd, text.data(), text.size(), static_cast<off_t>(at)),
                  static_cast<ssize_t>(text.size()));
    }
    close(fd);
}

std::string read_at(const View& view, std::string_view name, uint64_t offset, uint32_t bytes) {
    Result<Ref<File>> file = view.open(name);
    if (file.is_error()) return "?";
    std::string text(bytes, 'x');
    KernelSink sink({reinterpret_cast<uint8_t*>(text.data()), bytes});
    Result<uint32_t> done = file.value()->read_at(sink, offset);
    return done.is_ok() ? text.substr(0, done.value()) : "?";
}

class Ext2Image : public ::testing::TestWithParam<int> {
  protected:
    View mount(uint64_t kib, const std::string& more = "") {
        std::string options = "-b " + std::to_string(GetParam()) + " -d " + folder.path.string();
        disk = &make_disk(make_image(options + " " + more, kib));
        return View::of_disk(*disk);
    }
    HostFolder folder;
    ImageDisk* disk = nullptr;
};
INSTANTIATE_TEST_SUITE_P(BlockSizes, Ext2Image, ::testing::Values(1024, 2048, 4096));

TEST_P(Ext2Image, TreesComeBackWhole) {
    hostfs::create_directories(folder.path / "a/b/c");
    std::map<std::string, std::string> files;
    for (size_t bytes :
         {0, 1, 1023, 1024, 4095, 4096, 4097, 12288, 49152, 70000, 300000, 1100000}) {
        std::string name = "/a/b/" + std::to_string(bytes);
        files[name] = pattern(bytes, static_cast<uint32_t>(bytes));
        put(folder.path.string() + name, files[name]);
    }
    hostfs::create_symlink("b/c/../4097", folder.path / "a/short");
    hostfs::create_symlink("/a/" + std::string(80, '/') + "b/1023", folder.path / "a/b/c/long");
    put(folder.path / "a" / std::string(255, 'n'), "long name");
    View view = mount(8192);
    for (auto& [name, text] : files) EXPECT_TRUE(view.read(name) == text) << name;
    EXPECT_TRUE(view.read("/a/short") == files["/a/b/4097"]);
    EXPECT_TRUE(view.read("/a/b/c/long") == files["/a/b/1023"]);
    EXPECT_EQ(view.read("/a/" + std::string(255, 'n')), "long name");
    EXPECT_EQ(view.list("/a/b/c"), (std::vector<std::string>{".", "..", "long"}));
    Result<Attributes> at = vfs_stat(view, view.cwd, "/a/b/70000", Follow::yes);
    ASSERT_TRUE(at.is_ok());
    struct stat host;
    ASSERT_EQ(stat((folder.path / "a/b/70000").c_str(), &host), 0);
    EXPECT_EQ(at.value().size, 70000u);
    EXPECT_EQ(at.value().mode, host.st_mode);
    EXPECT_EQ(at.value().uid, host.st_uid);
    EXPECT_EQ(at.value().modified.seconds, host.st_mtime);
    EXPECT_GE(at.value().blocks512 * 512, 70000u);
    EXPECT_EQ(at.value().block_size, static_cast<uint32_t>(GetParam()));
    EXPECT_EQ(at.value().device, disk->device_number());
    EXPECT_EQ(view.write("/a/new", "x"), Errno::rofs);
    EXPECT_EQ(view.write("/a/b/1", "x", 0), Errno::rofs);
    EXPECT_EQ(error(vfs_unlink(view, view.cwd, "/a/b/1")), Errno::rofs);
    EXPECT_EQ(error(vfs_mkdir(view, view.cwd, "/a/x", 0777)), Errno::rofs);
}

TEST_P(Ext2Image, HolesAndEveryIndexLevel) {
    const uint64_t size = GetParam(), p = size / 4;
    std::vector<uint64_t> offsets;
    for (uint64_t edge : {uint64_t{12}, 12 + p, 12 + p + p * p})
        for (uint64_t block : {edge - 1, edge, edge + 1}) offsets.push_back(block * size);
    offsets.push_back((12 + p + p * p + p + 3) * size + 100);
    put_sparse(folder.path / "sparse", offsets);
    View view = mount(4096);
    for (uint64_t at : offsets) {
        std::string text = "at " + std::to_string(at);
        EXPECT_EQ(read_at(view, "/sparse", at, static_cast<uint32_t>(text.size())), text);
    }
    EXPECT_EQ(read_at(view, "/sparse", 5 * size + 3, 5000), std::string(5000, 0));
    EXPECT_EQ(read_at(view, "/sparse", offsets.back() - 50, 50), std::string(50, 0));
    EXPECT_EQ(read_at(view, "/sparse", offsets.back() + 1000, 1), "");
}

TEST_P(Ext2Image, LargeDirectories) {
    for (int i = 0; i < 2000; ++i) put(folder.path / ("file number " + std::to_string(i)), "");
    View view = mount(8192, "-N 4000");
    EXPECT_EQ(view.list("/").size(), 2003u);  // and ., .., lost+found
    EXPECT_EQ(view.read("/file number 1999"), "");
    EXPECT_EQ(view.error_of("/file number 2000"), Errno::noent);
    EXPECT_EQ(view.error_of("/file number 2000"), Errno::noent);  // from the negative entry
}

TEST_P(Ext2Image, OneRequestReadsManyPages) {
    put(folder.path / "big", pattern(600000, 7));
    View view = mount(4096);
    EXPECT_TRUE(view.read("/big") == pattern(600000, 7));
    EXPECT_LT(disk->requests, 60u);
    uint32_t before = disk->requests;
    EXPECT_TRUE(view.read("/big") == pattern(600000, 7));
    EXPECT_EQ(disk->requests, before);
}

TEST_P(Ext2Image, AfterUnmountingAllMemoryIsBack) {
    put(folder.path / "big", pattern(600000, 7));
    std::vector<uint8_t> image =
        make_image("-b " + std::to_string(GetParam()) + " -d " + folder.path.string(), 4096);
    auto reclaim_everything = [] {
        shrink_dentries(UINT32_MAX);
        shrink_inodes(UINT32_MAX);
        while (reclaim_pages(1000)) {
        }
    };
    auto pages_of_files = [] {
        PageCacheTotals totals = page_cache_totals();
        return totals.all - totals.of_devices;
    };
    ImageDisk& second = make_disk(std::move(image));
    View view = View::of_tmpfs();
    reclaim_everything();
    const uint32_t before = pages_of_files();
    ASSERT_TRUE(vfs_mkdir(view, view.cwd, "/m", 0755).is_ok());
    ASSERT_TRUE(
        vfs_mknod(view, view.cwd, "/disk", kTypeBlock | 0600, second.device_number()).is_ok());
    ASSERT_TRUE(vfs_mount(view, "/disk", "/m", "ext2", kMountReadOnly, "").is_ok());
    EXPECT_TRUE(view.read("/m/big") == pattern(600000, 7));
    EXPECT_GT(pages_of_files(), before + 100);
    Ref<Pager> mapped;
    {
        Ref<File> file = view.open("/m/big").release_value();
        EXPECT_EQ(error(vfs_unmount(view, "/m", 0)), Errno::busy);
        mapped = file->pager().release_value();
    }
    ASSERT_TRUE(vfs_unmount(view, "/m", 0).is_ok());
    Result<Frame> frame = mapped->frame_for(1);  // a mapping outlives the mount
    ASSERT_TRUE(frame.is_ok());
    EXPECT_EQ(memcmp(to_virtual(frame.value()), pattern(600000, 7).data() + kPageSize, kPageSize),
              0);
    put_frame(frame.value());
    EXPECT_EQ(error(mapped->frame_for(147)), Errno::fault);  // 600000 bytes are 146.5 pages
    mapped = nullptr;
    shrink_inodes(UINT32_MAX);
    reclaim_everything();
    EXPECT_EQ(pages_of_files(), before);
}

TEST(Ext2Images, MemoryShortageTakesCleanPages) {
    HostFolder folder;
    const std::string text = pattern(36 << 20, 3);  // more than the arena holds
    put(folder.path / "huge", text);
    View view = View::of_disk(make_disk(make_image("-d " + folder.path.string(), 40 << 10)));
    EXPECT_TRUE(view.read("/huge") == text);
}

TEST(Ext2Images, ReadErrorsReachTheReaderAndOnlyHim) {
    HostFolder folder;
    put(folder.path / "file", pattern(100000, 5));
    ImageDisk& disk = make_disk(make_image("-b 4096 -d " + folder.path.string(), 1024));
    View view = View::of_disk(disk);
    ASSERT_TRUE(view.at("/file").is_ok());
    const std::string bytes = pattern(100000, 5);
    const size_t found =
        std::string_view(reinterpret_cast<char*>(disk.bytes.data()), disk.bytes.size())
            .find(bytes.substr(40960, 40));
    ASSERT_NE(found, std::string_view::npos);
    disk.bad_sectors = {found / kSectorSize};
    EXPECT_EQ(view.read("/file"), "?5");
    EXPECT_EQ(read_at(view, "/file", 0, 40960), bytes.substr(0, 40960));
    EXPECT_EQ(read_at(view, "/file", 45056, 40960), bytes.substr(45056, 40960));
    disk.bad_sectors.clear();
    EXPECT_TRUE(view.read("/file") == bytes);
}

std::string refusal(std::vector<uint8_t> bytes) {
    ImageDisk& disk = make_disk(std::move(bytes));
    EXPECT_TRUE(mount_root(disk.name(), true).is_error());
    std::string text(mount_refusals());
    size_t at = text.find(disk.name());
    return at == text.npos ? text : text.replace(at, disk.name().size(), "D");
}

TEST(Ext2Images, WhatIsNotExt2IsRefusedInOneLine) {
    start_file_room();
    EXPECT_EQ(refusal(std::vector<uint8_t>(1 << 20)),
              "ext2: D: bad magic 0x0000 (the disk is empty)");
    EXPECT_EQ(refusal({}), "ext2: D: the disk is too small (0 bytes)");
    std::vector<uint8_t> iso(1 << 20);
    memcpy(iso.data() + 0x8001, "CD001", 5);
    EXPECT_EQ(refusal(iso), "ext2: D: bad magic 0x0000 (an ISO 9660 file system)");
    std::vector<uint8_t> image = make_image("", 2048);
    image.resize(image.size() / 2);
    EXPECT_EQ(refusal(image),
              "ext2: D: the disk is smaller than its file system (1024 of 2048 KiB): truncated?");
    EXPECT_EQ(refusal(make_image("-O extents", 2048)), "ext2: D: unsupported features: extent");
    EXPECT_EQ(refusal(make_image("-t ext4 -O ^64bit,^flex_bg,^metadata_csum_seed", 4096)),
              "ext2: D: unsupported features: extent");
    Result<Path> none = mount_root("/dev/nodisk", true);
    EXPECT_TRUE(none.is_error());
    EXPECT_TRUE(std::string(mount_refusals()).starts_with("no disk named nodisk (found: d0 "));
}

TEST(Ext2Images, ReadOnlyFeaturesAreNamedAndRead) {
    HostFolder folder;
    put(folder.path / "file", "text");
    View view = View::of_disk(make_disk(make_image(
        "-I 256 -O huge_file,dir_nlink,extra_isize,has_journal -d " + folder.path.string(), 8192)));
    EXPECT_EQ(view.read("/file"), "text");
    EXPECT_TRUE(std::string(log_lines.back())
                    .ends_with("read-only because of features: huge_file dir_nlink extra_isize"))
        << log_lines.back();
}

TEST(Ext2Images, DeviceNodesAndPipes) {
    View view =
        View::of_disk(make_disk(make_image("", 2048,
                                           "mknod tty c 4 64\nmknod disk b 8 300\nmknod pipe p\n"
                                           "sif tty mode 020620\n")));
    Result<Attributes> tty = vfs_stat(view, view.cwd, "/tty", Follow::yes);
    ASSERT_TRUE(tty.is_ok());
    EXPECT_EQ(tty.value().mode, kTypeCharacter | 0620);
    EXPECT_EQ(tty.value().special_device, device_number(4, 64));
    Result<Attributes> disk = vfs_stat(view, view.cwd, "/disk", Follow::yes);
    ASSERT_TRUE(disk.is_ok());
    EXPECT_EQ(disk.value().mode & kTypeMask, kTypeBlock);
    EXPECT_EQ(device_major(disk.value().special_device), 8u);
    EXPECT_EQ(device_minor(disk.value().special_device), 300u);
    EXPECT_EQ(error(view.open("/disk")), Errno::nxio);
    EXPECT_EQ(error(view.open("/pipe")), Errno::nxio);
}

TEST(Ext2Images, OldRevisionWorks) {
    View view = View::of_disk(
        make_disk(make_image("-O none -I 128", 2048, "set_super_value rev_level 0\n")));
    EXPECT_EQ(view.list("/"), (std::vector<std::string>{".", "..", "lost+found"}));
}

// Walks and reads everything, but not forever.
void visit(const View& view, const std::string& directory, int& budget) {
    for (const std::string& name : view.list(directory)) {
        if (name == "." || name == ".." || --budget < 0) continue;
        const std::string path = directory + "/" + name;
        Result<Attributes> at = vfs_stat(view, view.cwd, path, Follow::no);
        if (at.is_error()) continue;
        if (at.value().is_directory())
            visit(view, path, budget);
        else if (at.value().is_symlink())
            (void)view.error_of(path);
        else if (at.value().size < 1 << 20)
            (void)view.read(path);
        else
            (void)read_at(view, path, at.value().size - 1, 10);
    }
}

// Damage is an error, never a crash, an endless walk, or memory that is not ours.
TEST(Ext2Images, DamagedOnesDoNoHarm) {
    HostFolder folder;
    hostfs::create_directories(folder.path / "a/b/c/d");
    for (int i = 0; i < 20; ++i)
        put(folder.path / ("a/b/f" + std::to_string(i)), pattern(static_cast<size_t>(i) * 9000, 1));
    hostfs::create_symlink("b", folder.path / "a/link");
    hostfs::create_symlink("/" + std::string(100, '/') + "a/b", folder.path / "a/b/link");
    const std::vector<uint8_t> good = make_image("-b 1024 -N 64 -d " + folder.path.string(), 2200);
    const char* rounds = std::getenv("ORRERY_FUZZ_ROUNDS");
    for (int seed = 0; seed < (rounds ? std::atoi(rounds) : 150); ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        std::mt19937 random(static_cast<uint32_t>(seed));
        std::vector<uint8_t> image = good;
        for (int hits = 1 << (random() % 9); hits > 0; --hits) {
            // Superblock, descriptors, bitmaps, inode table: the first 16 KiB; or anywhere.
            uint32_t limit = random() % 4 ? 16 << 10 : static_cast<uint32_t>(image.size());
            image[random() % limit] = static_cast<uint8_t>(random() % 3 ? random() : 0xff);
        }
        ImageDisk& disk = make_disk(std::move(image));
        Result<Path> root = mount_root(disk.name(), true);
        if (root.is_error()) continue;
        View view;
        view.root = view.cwd = root.value();
        int budget = 2000;
        visit(view, "", budget);
        EXPECT_GE(budget, 0);
        disk.bytes = {};
    }
}

}  // namespace
