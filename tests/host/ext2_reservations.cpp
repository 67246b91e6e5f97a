// What is reserved behind files that are open for writing: nothing of it is on the disk, nobody else
// gets it while there is other room, and everybody does when there is none. Part of vfs_test.
#include <set>

#include "tests/host/support/ext2_check.hpp"

namespace {

void append(File& file, size_t bytes, char what) {
    const std::string text(bytes, what);
    KernelSource source({reinterpret_cast<const uint8_t*>(text.data()), bytes});
    uint64_t end = 0;
    Result<uint32_t> done = file.append(source, end);
    ASSERT_TRUE(done.is_ok());
    EXPECT_EQ(done.value(), bytes);
}

// How many runs of whole blocks of this letter the disk has.
int pieces_of(const std::vector<uint8_t>& disk, size_t block, char what) {
    int pieces = 0;
    bool inside = false;
    for (size_t at = 0; at < disk.size(); at += block) {
        const bool here = disk[at] == uint8_t(what) && disk[at + block - 1] == uint8_t(what);
        pieces += here && !inside;
        inside = here;
    }
    return pieces;
}

class Ext2Reservations : public ::testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(BlockSizes, Ext2Reservations, ::testing::Values(1024, 4096));

TEST_P(Ext2Reservations, TheDiskKnowsNothingOfThem) {
    const auto block = static_cast<size_t>(GetParam());
    ImageDisk& d = make_disk(make_image("-b " + std::to_string(block), 16384));
    View v = mount_writable(d);
    std::vector<Ref<File>> files;
    for (char name : {'p', 'q', 'r'})
        files.push_back(
            v.open(std::string("/") + name, kOpenWriteOnly | kOpenCreate, 0644).release_value());
    for (int i = 0; i < 10; ++i)
        for (size_t k = 0; k < files.size(); ++k) append(*files[k], 2 * block, char('p' + k));
    ASSERT_EQ(sync(v), Errno{});
    for (char name : {'p', 'q', 'r'}) EXPECT_LE(pieces_of(d.bytes, block, name), 2) << name;
    std::vector<uint8_t> cut = d.bytes;
    const Checked check = e2fsck(cut, "-fn");
    EXPECT_EQ(check.status, 0) << check.text;
    stop(v);
}

TEST_P(Ext2Reservations, AFullDiskGivesThemToOthers) {
    const auto block = static_cast<size_t>(GetParam());
    ImageDisk& d = make_disk(make_image("-b " + std::to_string(block) + " -N 32", 4096));
    View v = mount_writable(d);
    const Ref<File> open = v.open("/open", kOpenWriteOnly | kOpenCreate, 0644).release_value();
    append(*open, block, 'o');
    const uint64_t room = vfs_statistics(v.root).free_blocks;
    EXPECT_EQ(v.write("/rest", std::string(room * block, 'r')), Errno{});  // some of it
    EXPECT_EQ(vfs_statistics(v.root).free_blocks, 0u);
    ASSERT_TRUE(vfs_unlink(v, v.cwd, "/rest").is_ok());
    append(*open, 20 * block, 'o');
    stop(v);
    const Checked check = e2fsck(d.bytes, "-fn");
    EXPECT_EQ(check.status, 0) << check.text;
}

}  // namespace
