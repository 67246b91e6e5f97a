// Contents and transactions of ext2 with a journal: what a commit must have written before (data=ordered,
// data=journal), and what it has no business with. The judge is the disk at each commit: the blocks that
// were free had other contents, which no file may show. Part of vfs_test.
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <random>

#include "fs/ext2/ext2.hpp"
#include "fs/journal/layout.hpp"
#include "tests/host/support/ext2_check.hpp"
#include "tests/host/support/journal_image.hpp"

namespace {

constexpr char kStale = 'S';

struct How {
    uint32_t block_size;
    const char* mode;
};
void PrintTo(const How& how, std::ostream* out) { *out << how.block_size << ", " << how.mode; }

class Ext3Ordered : public ::testing::TestWithParam<How> {
  protected:
    Ext3Ordered() {
        start_file_room();
        JournalImage image{GetParam().block_size, journal::Checksums::none,
                           size() == 1024 ? 4096u : 10240u};
        ImageDisk& d = make_disk(image.bytes);
        View v = mount_writable(d);
        static_cast<void>(v.write("/s", std::string(16 << 20, kStale)));
        EXPECT_EQ(sync(v), Errno{});
        EXPECT_TRUE(vfs_unlink(v, v.cwd, "/s").is_ok());
        stop(v);
        base = d.bytes;
    }
    uint32_t size() const { return GetParam().block_size; }
    bool is(std::string_view mode) const { return GetParam().mode == mode; }

    // A fresh copy, mounted, whose writes are logged.
    View mount() {
        writes.clear();
        disk = &make_disk(base);
        disk->log = &writes;
        View outside = View::of_tmpfs();
        EXPECT_TRUE(vfs_mkdir(outside, outside.cwd, "/m", 0755).is_ok());
        EXPECT_TRUE(vfs_mknod(outside, outside.cwd, "/d", kTypeBlock | 0600, disk->device_number())
                        .is_ok());
        const std::string options = std::string("data=") + GetParam().mode;
        EXPECT_TRUE(vfs_mount(outside, "/d", "/m", "ext3", 0, options).is_ok()) << mount_refusals();
        View v = outside;
        v.root = v.cwd = outside.at("/m").release_value();
        return v;
    }
    ext2::Ext2Inode& inode(const View& v, const char* name) {
        return static_cast<ext2::Ext2Inode&>(*v.at(name).value().dentry().inode());
    }
    // As a program does through a mapping.
    void write_page(ext2::Ext2Inode& file, uint32_t index, char what) {
        std::memset(file.cache().page(index).value().data(), what, kPageSize);
        file.cache().mark_dirty(index);
    }
    Errno truncate(const View& v, const char* name, uint64_t bytes) {
        return error(inode(v, name).truncate(bytes));
    }
    bool is_commit(const ImageDisk::Write& write) const {
        const auto* head = reinterpret_cast<const journal::Header*>(write.bytes.data());
        return head->magic == journal::kMagic &&
               head->kind == static_cast<uint32_t>(journal::Kind::commit);
    }
    std::vector<uint8_t> cut(size_t after) const {
        std::vector<uint8_t> bytes = base;
        for (size_t i = 0; i < after; ++i)
            std::copy(writes[i].bytes.begin(), writes[i].bytes.end(),
                      bytes.begin() + static_cast<long>(writes[i].sector * kSectorSize));
        return bytes;
    }
    // What debugfs finds in the file; a disk of ours would stay registered.
    static std::string contents(const std::vector<uint8_t>& bytes, const std::string& name) {
        HostFolder folder;
        const std::string image = folder.path / "image", text = folder.path / "text";
        std::ofstream(image, std::ios::binary)
            .write(reinterpret_cast<const char*>(bytes.data()), static_cast<long>(bytes.size()));
        EXPECT_EQ(std::system(("PATH=$PATH:/usr/sbin:/sbin; debugfs -R 'cat " + name + "' " +
                               image + " >" + text + " 2>/dev/null")
                                  .c_str()),
                  0);
        const std::vector<uint8_t> found = read_host_file(text);
        return {found.begin(), found.end()};
    }
    // A cut of power after each commit block, and at the end.
    void expect_nothing_stale(std::initializer_list<const char*> names) {
        uint32_t commits = 0;
        for (size_t i = 0; i < writes.size(); ++i) {
            if (!is_commit(writes[i]) && i + 1 < writes.size()) continue;
            std::vector<uint8_t> bytes = cut(i + 1);
            const Checked check = e2fsck(bytes, "-p");
            EXPECT_LE(check.status, 1) << check.text;
            for (const char* name : names)
                EXPECT_EQ(contents(bytes, name).find(kStale), std::string::npos)
                    << name << " after write " << i + 1 << " of " << writes.size();
            ++commits;
        }
        EXPECT_GT(commits, 1u);
    }
    // So many sectors of the file's blocks were written to their places.
    size_t sectors_at_home(ext2::Ext2Inode& file) {
        const uint32_t per_block = size() / kSectorSize;
        size_t found = 0;
        for (uint32_t block = 0; block < file.cache().size() / size(); ++block) {
            const ext2::Ext2Inode::Run run = file.map(block, 1).value();
            for (const ImageDisk::Write& write : writes)
                for (uint64_t s = write.sector; s < write.sector + write.bytes.size() / kSectorSize;
                     ++s)
                    found += run.first && s / per_block == run.first;
        }
        return found;
    }

    std::vector<uint8_t> base;
    std::vector<ImageDisk::Write> writes;
    ImageDisk* disk = nullptr;
};
INSTANTIATE_TEST_SUITE_P(Modes, Ext3Ordered,
                         ::testing::Values(How{1024, "ordered"}, How{4096, "ordered"},
                                           How{1024, "journal"}, How{4096, "journal"},
                                           How{4096, "writeback"}));

// The transaction is so large that the truncation makes a commit first: not after the pages have gone.
TEST_P(Ext3Ordered, NoCommitBetweenATruncationsPagesAndItsBlocks) {
    if (is("writeback")) return;
    auto fill = [&](const View& v, uint32_t most) {
        EXPECT_EQ(v.write("/f", std::string(6 * kPageSize, 'n')), Errno{});
        const uint64_t before = disk->writes;
        uint32_t made = 0;
        while (made < most && disk->writes == before)
            EXPECT_TRUE(vfs_mkdir(v, v.cwd, "/d" + std::to_string(made++), 0755).is_ok());
        return made;
    };
    View first = mount();
    const uint32_t until_commit = fill(first, 400);
    EXPECT_LT(until_commit, 400u);
    stop(first);
    for (uint64_t end : {uint64_t{0}, uint64_t{kPageSize + 1}}) {
        View v = mount();
        fill(v, until_commit - 1);
        EXPECT_EQ(truncate(v, "/f", end), Errno{});
        EXPECT_EQ(sync(v), Errno{});
        expect_nothing_stale({"/f"});
        stop(v);
    }
}

// A disk that is full but for three blocks, and more are free after the next commit: it must not come
// while some holes have got their blocks, and others wait for theirs.
TEST_P(Ext3Ordered, NoCommitAmidstTheFillingOfHoles) {
    if (is("writeback")) return;
    const uint32_t pages = size() == 1024 ? 3 : 12;
    View v = mount();
    EXPECT_EQ(v.write("/h", ""), Errno{});
    EXPECT_EQ(truncate(v, "/h", uint64_t{12} * size()), Errno{});
    EXPECT_EQ(v.write("/goes", std::string(20 * size(), 'g')), Errno{});
    static_cast<void>(v.write("/all", std::string(16 << 20, kStale)));
    EXPECT_EQ(sync(v), Errno{});
    const uint64_t all = inode(v, "/all").cache().size();
    EXPECT_EQ(truncate(v, "/all", (all / size() - 3) * size()), Errno{});
    EXPECT_EQ(sync(v), Errno{});
    EXPECT_TRUE(vfs_unlink(v, v.cwd, "/goes").is_ok());
    for (uint32_t i = 0; i < pages; ++i) write_page(inode(v, "/h"), i, 'm');
    EXPECT_EQ(error(inode(v, "/h").cache().write_back()), Errno{});
    EXPECT_EQ(v.read("/h"), std::string(12 * size(), 'm'));
    expect_nothing_stale({"/h"});
    EXPECT_EQ(sync(v), Errno{});
    std::vector<uint8_t> bytes = cut(writes.size());
    EXPECT_LE(e2fsck(bytes, "-p").status, 1);
    EXPECT_EQ(contents(bytes, "/h"), std::string(12 * size(), 'm'));
    stop(v);
}

// A log that has no room for more, while pages wait that are to go through it.
TEST_P(Ext3Ordered, MuchIsWrittenThroughAMapping) {
    View v = mount();
    constexpr uint32_t kPages = 200;
    EXPECT_EQ(v.write("/h", ""), Errno{});
    EXPECT_EQ(truncate(v, "/h", uint64_t{kPages} * kPageSize), Errno{});
    for (uint32_t round = 0; round < 3; ++round) {
        for (uint32_t i = 0; i < kPages; ++i)
            write_page(inode(v, "/h"), i, static_cast<char>('a' + round));
        EXPECT_EQ(error(inode(v, "/h").sync(false)), Errno{});
        std::vector<uint8_t> bytes = cut(writes.size());
        EXPECT_LE(e2fsck(bytes, "-p").status, 1);
        EXPECT_EQ(contents(bytes, "/h"),
                  std::string(kPages * kPageSize, static_cast<char>('a' + round)));
    }
    stop(v);
    EXPECT_EQ(e2fsck(disk->bytes, "-fn").status, 0);
}

// fsync waits for the contents that its transaction refers to, and for no others.
TEST_P(Ext3Ordered, FsyncWritesNothingThatIsUnrelated) {
    constexpr uint32_t kPages = 16;
    View v = mount();
    for (const char* name : {"/over", "/hole", "/mine"}) EXPECT_EQ(v.write(name, ""), Errno{});
    EXPECT_EQ(v.write("/over", std::string(kPages * kPageSize, 'o')), Errno{});
    EXPECT_EQ(truncate(v, "/hole", kPages * kPageSize), Errno{});
    EXPECT_EQ(sync(v), Errno{});
    auto fsync = [&] {
        writes.clear();
        EXPECT_EQ(v.write("/mine", "m", kOpenAppend), Errno{});
        EXPECT_EQ(error(inode(v, "/mine").sync(false)), Errno{});
        size_t sectors = 0;
        for (const ImageDisk::Write& write : writes) sectors += write.bytes.size() / kSectorSize;
        return sectors * kSectorSize / size();
    };
    // Blocks of this disk: its own one, a descriptor, what it changes, the commit.
    constexpr size_t kFew = 12;
    EXPECT_LE(fsync(), kFew);
    EXPECT_EQ(inode(v, "/over").cache().is_dirty(), false);
    if (!is("journal")) {
        EXPECT_EQ(v.write("/over", std::string(kPages * kPageSize, 'p'), 0), Errno{});
        EXPECT_LE(fsync(), kFew) << "a file that was overwritten only";
        EXPECT_TRUE(inode(v, "/over").cache().is_dirty());
    }
    for (uint32_t i = 0; i < kPages; ++i) write_page(inode(v, "/hole"), i, 'h');
    EXPECT_LE(fsync(), kFew) << "pages that have no blocks yet";
    EXPECT_TRUE(inode(v, "/hole").cache().is_dirty());
    // One that got blocks at its end only: not the rest of it.
    EXPECT_EQ(v.write("/over", std::string(kPageSize, 'q'), kOpenAppend), Errno{});
    EXPECT_LE(fsync(), kFew + kPageSize / size() + 4);
    EXPECT_EQ(sectors_at_home(inode(v, "/over")), is("ordered") ? kPageSize / kSectorSize : 0);
    // And one that is new: that is related.
    EXPECT_EQ(v.write("/new", std::string(kPages * kPageSize, 'n')), Errno{});
    if (is("writeback"))
        EXPECT_LE(fsync(), kFew);
    else
        EXPECT_GE(fsync(), kPages * kPageSize / size());
    EXPECT_EQ(sectors_at_home(inode(v, "/new")),
              is("ordered") ? kPages * kPageSize / kSectorSize : 0);
    stop(v);
    EXPECT_EQ(e2fsck(disk->bytes, "-fn").status, 0);
}

// The disk gets full in the midst of a transaction that has all of the smallest journal, and most of it goes.
TEST_P(Ext3Ordered, AFullDiskAndALargeTransactionAtAnyCut) {
    if (is("writeback")) return;
    View v = mount();
    for (int round = 0; round < 2; ++round) {
        for (int i = 0; i < 400; ++i)
            static_cast<void>(v.write("/small" + std::to_string(i), std::string(700, 's')));
        static_cast<void>(v.write("/large", std::string(16 << 20, 'l')));
        const std::string more = "/more" + std::to_string(round);
        EXPECT_EQ(v.write(more, std::string(2 * size(), 'm')), Errno::nospc);
        for (int i = 0; i < 400; i += 2)
            static_cast<void>(vfs_unlink(v, v.cwd, "/small" + std::to_string(i)));
        EXPECT_EQ(v.write(more, std::string(2 * size(), 'm')), Errno{});
        EXPECT_TRUE(vfs_unlink(v, v.cwd, "/large").is_ok());
    }
    EXPECT_FALSE(v.root.mount().file_system->read_only());
    EXPECT_EQ(sync(v), Errno{});
    std::mt19937 random(size());
    for (uint32_t n = 0; n < 4; ++n) {
        std::vector<uint8_t> bytes = cut(1 + random() % writes.size());
        const Checked check = e2fsck(bytes, "-p");
        EXPECT_LE(check.status, 1) << check.text;
        EXPECT_EQ(e2fsck(bytes, "-fn").status, 0);
        for (const char* name : {"/large", "/more0", "/more1", "/small1"})
            EXPECT_EQ(contents(bytes, name).find(kStale), std::string::npos) << name;
    }
    stop(v);
    EXPECT_EQ(e2fsck(disk->bytes, "-fn").status, 0);
}

}  // namespace
