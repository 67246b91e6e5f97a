// bitmap: which blocks of an ext2 group are free, in the textbook's rows and columns.
#include "fs/free_space/free_bitmap.hpp"

#include <algorithm>

#include "user/lab-fs/ext2_volume.hpp"

namespace {

constexpr char kHelp[] =
    "usage: lab-fs bitmap [--group N] [--columns N] [PATH]\n"
    "The bitmap of a group of the ext2 file system that PATH (/) is on: row i and column j of n\n"
    "columns (64) are block b = n(i-1)+j, all counted from 1.\n"
    "    # lab-fs bitmap --columns 32\n"
    "    group 0: blocks 0 to 13311, 4816 free; its bitmap is block 5\n"
    "    row i, column j of n = 32: b = n(i-1)+j, which is block b -1\n"
    "          1 11111111111111111111111111111111\n"
    "            and 263 rows like it\n"
    "    ...\n";

void show_group(const Ext2Volume& volume, uint32_t group, uint32_t columns) {
    const ext2::GroupDescriptor descriptor = volume.group(group);
    const ext2::Superblock& super = volume.super();
    const uint32_t first = super.first_data_block + group * super.blocks_per_group;
    const uint32_t count = std::min(super.blocks_per_group, super.blocks_count - first);
    const std::vector<uint8_t> bits = volume.block(descriptor.block_bitmap);
    std::printf("group %u: blocks %u to %u, %u free; its bitmap is block %u\n", group, first,
                first + count - 1, descriptor.free_blocks_count, descriptor.block_bitmap);
    std::printf("row i, column j of n = %u: b = n(i-1)+j, which is block b %+d\n", columns,
                static_cast<int>(first) - 1);
    std::string last;
    uint32_t same = 0;
    for (uint32_t b = 1; b <= count; b += columns) {
        std::string row;
        for (uint32_t j = 0; j < columns && b + j <= count; ++j)
            row += bits[(b + j - 1) / 8] >> (b + j - 1) % 8 & 1 ? '1' : '0';
        const bool end = b + columns > count;
        if (row == last && !end) {
            ++same;
            continue;
        }
        if (same) std::printf("        and %u rows like it\n", same);
        same = 0;
        std::printf("%7u %s\n", place_of(b, columns).row, row.c_str());
        last = row;
    }
}

}  // namespace

int bitmap(int argc, char** argv) {
    long group = 0, columns = 64;
    const std::vector<std::string> words = lab::Command(kHelp)
                                               .number("--group", group, 0, 1'000'000)
                                               .number("--columns", columns, 1, 1024)
                                               .parse(argc, argv);
    if (words.size() > 1) lab::refuse("one path, not '%s'", lab::join(words).c_str());
    const std::unique_ptr<Volume> any = Volume::of(words.empty() ? "/" : words[0]);
    const auto* ext2 = dynamic_cast<const Ext2Volume*>(any.get());
    if (!ext2) lab::fail("that is %s; ext2 keeps a bitmap", any->type().c_str());
    const Ext2Volume& volume = *ext2;
    if (static_cast<uint32_t>(group) >= volume.groups())
        lab::refuse("there are %u groups, from 0 on", volume.groups());
    show_group(volume, static_cast<uint32_t>(group), static_cast<uint32_t>(columns));
    return 0;
}
