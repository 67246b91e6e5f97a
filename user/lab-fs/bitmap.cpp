// bitmap: which blocks of an ext2 group are free, in the textbook's rows and columns.
#include "fs/free_space/free_bitmap.hpp"

#include <algorithm>

#include "user/lab-fs/ext2_volume.hpp"
#include "user/lab/table.hpp"

namespace {

constexpr char kHelp[] =
    "usage: lab-fs bitmap [--group N] [--columns N] [--json] [PATH]\n"
    "The bitmap of a group of the ext2 file system that PATH (/) is on: row i and column j of n\n"
    "columns (64) are block b = n(i-1)+j, all counted from 1.\n"
    "    # lab-fs bitmap --columns 32\n"
    "    group 0: blocks 0 to 13311, 4816 free; its bitmap is block 5\n"
    "    row i, column j of n = 32: b = n(i-1)+j, which is block b -1\n"
    "      i  rows like it  bits\n"
    "      1           263  11111111111111111111111111111111\n"
    "    ...\n";

// Neighbouring rows that are alike are one row here.
lab::Table rows_of(const std::vector<uint8_t>& bits, uint32_t count, uint32_t columns) {
    lab::Table table({{"i", "i"}, {"like_it", "rows like it"}, {"bits", "bits"}});
    std::string last;
    uint32_t first = 0, alike = 0;
    for (uint32_t b = 1; b <= count; b += columns) {
        std::string row;
        for (uint32_t j = 0; j < columns && b + j <= count; ++j)
            row += bits[(b + j - 1) / 8] >> (b + j - 1) % 8 & 1 ? '1' : '0';
        if (row == last) {
            ++alike;
            continue;
        }
        if (first) table.row({first, alike, last});
        first = place_of(b, columns).row;
        last = row;
        alike = 0;
    }
    table.row({first, alike, last});
    return table;
}

void show_group(const Ext2Volume& volume, uint32_t group, uint32_t columns, bool json) {
    const ext2::GroupDescriptor descriptor = volume.group(group);
    const ext2::Superblock& super = volume.super();
    const uint32_t first = super.first_data_block + group * super.blocks_per_group;
    const uint32_t count = std::min(super.blocks_per_group, super.blocks_count - first);
    const lab::Table table = rows_of(volume.block(descriptor.block_bitmap), count, columns);
    if (json) {
        lab::Object()
            .add("lab", "lab-fs bitmap")
            .add("input", lab::Object().add("group", group).add("columns", columns))
            .add("first_block", first)
            .add("blocks", count)
            .add("free", descriptor.free_blocks_count)
            .add("bitmap_block", descriptor.block_bitmap)
            .add("rows", table.rows())
            .print();
        return;
    }
    std::printf("group %u: blocks %u to %u, %u free; its bitmap is block %u\n", group, first,
                first + count - 1, descriptor.free_blocks_count, descriptor.block_bitmap);
    std::printf("row i, column j of n = %u: b = n(i-1)+j, which is block b %+d\n", columns,
                static_cast<int>(first) - 1);
    table.print();
}

}  // namespace

int bitmap(int argc, char** argv) {
    long group = 0, columns = 64;
    bool json = false;
    const std::vector<std::string> words = lab::Command(kHelp)
                                               .number("--group", group, 0, 1'000'000)
                                               .number("--columns", columns, 1, 1024)
                                               .flag("--json", json)
                                               .parse(argc, argv);
    if (words.size() > 1) lab::refuse("one path, not '%s'", lab::join(words).c_str());
    const std::unique_ptr<Volume> any = Volume::of(words.empty() ? "/" : words[0]);
    const auto* ext2 = dynamic_cast<const Ext2Volume*>(any.get());
    if (!ext2) lab::fail("that is %s; ext2 keeps a bitmap", any->type().c_str());
    const Ext2Volume& volume = *ext2;
    if (static_cast<uint32_t>(group) >= volume.groups())
        lab::refuse("there are %u groups, from 0 on", volume.groups());
    show_group(volume, static_cast<uint32_t>(group), static_cast<uint32_t>(columns), json);
    return 0;
}
