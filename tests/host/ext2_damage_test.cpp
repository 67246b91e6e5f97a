// Damaged ext2 that is mounted for writing, walked and changed: errors, but never a crash, an endless
// walk, or memory that is not ours (the sanitizers watch). Metadata is hit where it lies: superblock,
// descriptors, bitmaps, inode tables, index blocks, directories. ORRERY_FUZZ_ROUNDS=N for more
// than the suite does, from ORRERY_SEED on.
// sources: file_room
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <random>

#include "fs/mount.hpp"
#include "tests/host/support/file_room.hpp"
#include "tests/host/support/vandal.hpp"

namespace {

namespace hostfs = std::filesystem;

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

TEST(Ext2Damage, WritingDoesNoHarm) {
    const Bytes good[] = {mixed_image(1024), mixed_image(4096)};
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
        mounted += vandalise(disk, random);
        ASSERT_TRUE(forget_all());
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

// More names than it counts: with the counted ones it is gone, and moving another, which fails half-way,
// doesn't bring it back.
TEST(Ext2Damage, ANameOfAFileThatIsGone) {
    HostFolder folder;
    std::ofstream(folder.path / "a") << "text";
    std::ofstream(folder.path / "other") << "text";
    hostfs::create_directory(folder.path / "d");
    hostfs::create_hard_link(folder.path / "a", folder.path / "d/b");
    ImageDisk& disk =
        make_disk(make_image("-N 64 -d " + folder.path.string(), 1024, "sif /a links_count 1\n"));
    {
        const Result<Path> root = mount_root(disk.name(), false);
        ASSERT_TRUE(root.is_ok());
        View v;
        v.root = v.cwd = root.value();
        FileSystem& fs = *v.root.mount().file_system;
        ASSERT_TRUE(v.at("/d/b").is_ok());  // both names are known
        const Ref<File> other = v.open("/other").release_value();
        Ref<File> open = v.open("/a").release_value();
        ASSERT_TRUE(vfs_unlink(v, v.cwd, "/a").is_ok());
        ASSERT_TRUE(fs.sync().is_ok());  // on the list of orphans
        ASSERT_TRUE(vfs_unlink(v, v.cwd, "/other").is_ok());
        ASSERT_TRUE(fs.sync().is_ok());
        for (uint64_t sector = 2; sector < 200; ++sector) disk.unwritable_sectors.insert(sector);
        EXPECT_EQ(error(vfs_rename(v, v.cwd, "/d/b", v.cwd, "/c")), Errno::io);
        disk.unwritable_sectors.clear();
        open = nullptr;
        static_cast<void>(forget_all());
        EXPECT_TRUE(fs.sync().is_ok());
        EXPECT_TRUE(fs.set_read_only(true).is_ok());
    }
    EXPECT_TRUE(forget_all());
}

}  // namespace
