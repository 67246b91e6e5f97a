// Damaged ext2 that is mounted for writing, walked and changed: errors, but never a crash, an endless
// walk, or memory that is not ours (the sanitizers watch). Metadata is hit where it lies: superblock,
// descriptors, bitmaps, inode tables, index blocks, directories. ORRERY_FUZZ_ROUNDS=N for more
// than the suite does, from ORRERY_SEED on.
// sources: fs/page_dirty.cpp
// sources: fs/ext2/reservations.cpp fs/ext2/allocation.cpp fs/ext2/block_map.cpp fs/ext2/checkpoint.cpp
// sources: fs/ext2/directory_change.cpp fs/ext2/names.cpp fs/ext2/orphans.cpp
// sources: fs/attributes.cpp fs/dentry.cpp fs/device_cache.cpp
// sources: fs/devices.cpp fs/file.cpp fs/file_locks.cpp fs/fs.cpp fs/inode.cpp fs/inode_cache.cpp fs/io.cpp
// sources: fs/fat/fat.cpp fs/iso9660/iso9660.cpp
// sources: fs/lookup.cpp fs/mount.cpp fs/mount_calls.cpp fs/mount_list.cpp fs/names.cpp fs/page_cache.cpp fs/page_fill.cpp fs/page_swap.cpp fs/page_reclaim.cpp fs/path.cpp
// sources: fs/vfs_attributes.cpp fs/vfs_names.cpp fs/vfs_open.cpp fs/vfs_rename.cpp
// sources: fs/ext2/directory.cpp fs/ext2/geometry.cpp fs/ext2/inode.cpp fs/ext2/swap_file.cpp fs/ext2/file_map.cpp fs/ext2/mount.cpp
// sources: fs/tmp/tmp_directory.cpp fs/tmp/tmp_file.cpp fs/tmp/tmpfs.cpp drivers/block.cpp
// sources: kernel/lib/format.cpp tests/host/support/file_room.cpp
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <random>

#include "fs/inode_cache.hpp"
#include "fs/mount.hpp"
#include "fs/page_table.hpp"
#include "tests/host/support/file_room.hpp"

namespace {

namespace hostfs = std::filesystem;
using Bytes = std::vector<uint8_t>;

// Some of everything: index blocks of two levels, directories of several blocks, links of both kinds.
Bytes good_image(int block) {
    HostFolder folder;
    hostfs::create_directories(folder.path / "a/b/c");
    hostfs::create_directories(folder.path / "many");
    for (int i = 0; i < 12; ++i)
        std::ofstream(folder.path / ("a/b/f" + std::to_string(i)))
            << std::string(static_cast<size_t>(i) * 40000, static_cast<char>('a' + i));
    for (int i = 0; i < 60; ++i)
        std::ofstream(folder.path / ("many/" + std::to_string(i) + std::string(60, 'n'))) << i;
    hostfs::create_symlink("b", folder.path / "a/link");
    hostfs::create_symlink(std::string(100, '/') + "a/b", folder.path / "a/slow");
    return make_image("-b " + std::to_string(block) + " -N 128 -d " + folder.path.string(), 4096);
}

uint32_t word_at(const Bytes& image, size_t at) {
    uint32_t word;
    std::memcpy(&word, &image[at], 4);
    return word;
}

// A number that does more harm than a random one does.
uint32_t nasty(std::mt19937& random, uint32_t old) {
    const auto any = static_cast<uint32_t>(random());
    const uint32_t numbers[] = {0,
                                1,
                                2,
                                3,
                                0xffffffff,
                                0x7fffffff,
                                0x80000000,
                                11,
                                old + 1,
                                old - 1,
                                old ^ 1u << random() % 32,
                                0xffff,
                                old * 2,
                                old << 16,
                                any % 4096,
                                any};
    return numbers[random() % std::size(numbers)];
}

class Damage {
  public:
    Damage(Bytes& image, int block, std::mt19937& random)
        : image_(image), block_(static_cast<size_t>(block)), random_(random) {
        descriptors_ = block == 1024 ? 2048 : block_;
    }
    void hit() {
        const size_t table = word_at(image_, descriptors_ + 8) * block_;
        switch (random_() % 8) {
            case 0: return random_() % 4 ? at(1024, 104) : at(1024 + 0xE8, 4);  // list of orphans
            case 1: return at(descriptors_, 32);
            case 2: return at(word_at(image_, descriptors_) * block_, block_);  // block bitmap
            case 3: return at(word_at(image_, descriptors_ + 4) * block_, 32);  // inode bitmap
            case 4:
            case 5: return at(table + (random_() % 2 ? 1 : 10 + random_() % 90) * 256, 128);
            default: return in_tree(table + (1 + random_() % 100) * 256);
        }
    }

  private:
    void at(size_t from, size_t bytes) {
        const size_t place = from + (random_() % bytes & ~size_t{3});
        if (place + 4 > image_.size()) return;
        uint32_t word = word_at(image_, place);
        if (random_() % 2)
            word = nasty(random_, word);
        else
            reinterpret_cast<uint8_t*>(&word)[random_() % 4] = static_cast<uint8_t>(random_());
        std::memcpy(&image_[place], &word, 4);
    }
    // The start of one of an inode's blocks: an index block or a directory's records.
    void in_tree(size_t inode) {
        if (inode + 128 > image_.size()) return;
        const size_t target = word_at(image_, inode + 40 + random_() % 15 * 4) * block_;
        if (target && target + block_ <= image_.size()) at(target, random_() % 2 ? 64 : block_);
    }
    Bytes& image_;
    const size_t block_;
    std::mt19937& random_;
    size_t descriptors_;
};

// Operations on what the listing names, and on names that are new.
class Vandal {
  public:
    Vandal(const View& view, std::mt19937& random) : view_(view), random_(random) {}

    void walk(const std::string& directory, int depth) {
        Result<Ref<File>> file = view_.open(directory + "/");
        if (file.is_error()) return;
        struct Sink final : DirectorySink {
            std::vector<std::string> names;
            bool add(std::string_view name, InodeNo, uint32_t, uint64_t) override {
                names.emplace_back(name);
                return names.size() < 200;
            }
        } sink;
        static_cast<void>(file.value()->list(sink));
        for (const std::string& name : sink.names) {
            if (name == "." || name == ".." || name.find('/') != name.npos || names_.size() > 300)
                continue;
            const std::string path = directory + "/" + name;
            names_.push_back(path);
            Result<Attributes> found = vfs_stat(view_, view_.cwd, path, Follow::no);
            if (found.is_error()) continue;
            if (found.value().is_directory() && depth) walk(path, depth - 1);
            if ((found.value().mode & kTypeMask) == kTypeRegular) read(path, found.value().size);
        }
    }
    void steps(int count) {
        for (int i = 0; i < count; ++i) step();
    }

  private:
    std::string old_name() { return names_.empty() ? "/a" : names_[random_() % names_.size()]; }
    std::string fresh_name() {
        const std::string near = old_name();
        return near.substr(0, near.rfind('/')) + "/new" + std::to_string(random_() % 50);
    }
    void read(const std::string& path, uint64_t size) {
        Result<Ref<File>> file = view_.open(path);
        if (file.is_error()) return;
        uint8_t bytes[5000];
        for (uint64_t at : {uint64_t{0}, size / 2, size - std::min<uint64_t>(size, 4000)}) {
            KernelSink sink(bytes);
            static_cast<void>(file.value()->read_at(sink, at));
        }
    }
    void write(const std::string& path) {
        Result<Ref<File>> file = view_.open(path, kOpenReadWrite | kOpenCreate, 0644);
        if (file.is_error()) return;
        const Bytes bytes(1 + random_() % 9000, 'w');
        KernelSource source(bytes);
        const uint64_t at = random_() % 4 ? random_() % 100000 : random_() % 400000000;
        static_cast<void>(file.value()->write_at(source, at));
        if (random_() % 4 == 0) static_cast<void>(file.value()->sync());
    }
    void step() {
        const std::string old = old_name(), fresh = fresh_name();
        const FsContext& v = view_;
        switch (random_() % 10) {
            case 0: static_cast<void>(vfs_mkdir(v, v.cwd, fresh, 0755)); return;
            case 1: static_cast<void>(vfs_unlink(v, v.cwd, old)); return;
            case 2: static_cast<void>(vfs_rmdir(v, v.cwd, old)); return;
            case 3: static_cast<void>(vfs_rename(v, v.cwd, old, v.cwd, fresh)); return;
            case 4: static_cast<void>(vfs_rename(v, v.cwd, old, v.cwd, old_name())); return;
            case 5: static_cast<void>(vfs_link(v, v.cwd, old, v.cwd, fresh, Follow::no)); return;
            case 6:
                static_cast<void>(vfs_symlink(v, std::string(random_() % 200, 's'), v.cwd, fresh));
                return;
            case 7:
                if (Result<Path> path = view_.at(old))
                    static_cast<void>(vfs_truncate(v, path.value(), random_() % 200000));
                return;
            default: write(random_() % 2 ? old : fresh);
        }
    }
    const View& view_;
    std::mt19937& random_;
    std::vector<std::string> names_;
};

TEST(Ext2Damage, WritingDoesNoHarm) {
    const Bytes good[] = {good_image(1024), good_image(4096)};
    const char* wanted = std::getenv("ORRERY_FUZZ_ROUNDS");
    const int first = std::getenv("ORRERY_SEED") ? std::atoi(std::getenv("ORRERY_SEED")) : 0;
    // One disk for all: nothing of the last image is in memory when the next comes.
    ImageDisk& disk = make_disk(good[0]);
    int mounted = 0;
    for (int seed = first; seed < first + (wanted ? std::atoi(wanted) : 100); ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        if (wanted) fprintf(stderr, "seed %d\n", seed);
        std::mt19937 random(static_cast<uint32_t>(seed));
        const int block = seed % 2 ? 4096 : 1024;
        Bytes image = good[seed % 2];
        Damage damage(image, block, random);
        for (int hits = 1 << random() % 6; hits > 0; --hits) damage.hit();
        disk.bytes = std::move(image);
        {
            Result<Path> root = mount_root(disk.name(), false);
            if (root.is_ok()) {
                ++mounted;
                View view;
                view.root = view.cwd = root.value();
                Vandal vandal(view, random);
                vandal.walk("", 4);
                vandal.steps(60);
                static_cast<void>(view.root.mount().file_system->sync());
                shrink_dentries(UINT32_MAX);
                shrink_inodes(UINT32_MAX);
                while (reclaim_pages(1000)) {
                }
                vandal.steps(40);
                static_cast<void>(view.root.mount().file_system->set_read_only(true));
            }
        }
        shrink_dentries(UINT32_MAX);
        shrink_inodes(UINT32_MAX);
        while (reclaim_pages(1000)) {
        }
        ASSERT_EQ(page_cache_totals().all, 0u);
    }
    EXPECT_TRUE(wanted || mounted > 30) << mounted;
    if (wanted) fprintf(stderr, "%d were mounted\n", mounted);
}

// A list of orphans that never ends, or leads astray: left alone, and said.
TEST(Ext2Damage, ListsOfOrphans) {
    const auto member = [](int inode, int next) {
        const std::string n = "<" + std::to_string(inode) + "> ";
        return "sif " + n + "links_count 0\nsif " + n + "dtime @" + std::to_string(next) + "\n";
    };
    struct List {
        std::string changes;
        bool said;
    };
    for (const List& list :
         {List{"ssv last_orphan 12\n" + member(12, 13) + member(13, 14) + member(14, 12), true},
          List{"ssv last_orphan 12\n" + member(12, 12), true},
          List{"ssv last_orphan 12\n" + member(12, 13), false},  // 13 has got a name
          List{"ssv last_orphan 12\n" + member(12, 13) + "sif <13> mode 0\n", true},
          List{"ssv last_orphan 5\n", true}, List{"ssv last_orphan 4000000000\n", true},
          List{"ssv last_orphan 12\n" + member(12, 13) + member(13, 0), false}}) {
        SCOPED_TRACE(list.changes);
        HostFolder folder;
        for (int i = 0; i < 4; ++i) std::ofstream(folder.path / std::to_string(i)) << "text";
        log_lines.clear();
        ImageDisk& disk =
            make_disk(make_image("-N 64 -d " + folder.path.string(), 1024, list.changes.c_str()));
        Result<Path> root = mount_root(disk.name(), false);
        ASSERT_TRUE(root.is_ok());
        FileSystem& fs = *root.value().mount().file_system;
        EXPECT_FALSE(fs.has_nameless_files());
        EXPECT_TRUE(fs.set_read_only(true).is_ok());
        EXPECT_EQ(word_at(disk.bytes, 1024 + 0xE8), 0u);
        bool said = false;
        for (const std::string& line : log_lines)
            said |= line.find("is on the list of orphans") != line.npos;
        EXPECT_EQ(said, list.said);
        shrink_dentries(UINT32_MAX);
        shrink_inodes(UINT32_MAX);
    }
}

}  // namespace
