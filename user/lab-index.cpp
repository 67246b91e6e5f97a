// lab-index: the arithmetic of files, without a disk: the way to a file's block by the index of an inode
// (fs/ext2/block_map.hpp), and the place of a block's bit in a bitmap (fs/free_space/free_bitmap.hpp).
#include <cstdio>

#include "fs/ext2/block_map.hpp"
#include "fs/free_space/free_bitmap.hpp"
#include "user/lab/command.hpp"
#include "user/lab/json.hpp"
#include "user/lab/random.hpp"
#include "user/lab/setting.hpp"

namespace {

constexpr char kHelp[] =
    "usage: lab-index path BITS BLOCK... | --random N [--seed S] [--json]\n"
    "       lab-index place N BLOCK... | --random N [--seed S] [--json]\n"
    "path: the pointer in the inode, then in each index block of 2^BITS pointers (BITS from 8 to "
    "10), and\n"
    "how many blocks are left behind the same index block. place: row i and column j of block b's "
    "bit in\n"
    "rows of N (1 to 4096), counted from 1: b = N(i - 1) + j; and back.\n"
    "    # lab-index path 10 11 12 1036\n"
    "    block 11: 11 left 1\n"
    "    block 12: 12 0 left 1024\n"
    "    block 1036: 13 0 0 left 1024\n";

lab::Object path_of(uint32_t block, uint32_t bits, bool json) {
    lab::Object row;
    row.add("block", block);
    const auto path = ext2::block_path(block, bits);
    if (!path) {
        if (!json) printf("block %u: none\n", block);
        return row.add("index", nullptr).add("left", nullptr);
    }
    const std::vector<uint32_t> index(path->index, path->index + std::min(path->levels + 1, 4u));
    if (!json) {
        printf("block %u:", block);
        for (const uint32_t i : index) printf(" %u", i);
        printf(" left %u\n", path->left);
    }
    return row.add("index", index).add("left", path->left);
}

lab::Object place_of_bit(uint32_t block, uint32_t n, bool json) {
    const BitmapPlace place = place_of(block, n);
    const uint32_t back = block_at(place, n);
    if (!json) printf("block %u: (%u, %u) back %u\n", block, place.row, place.column, back);
    lab::Object row;
    return row.add("block", block).add("i", place.row).add("j", place.column).add("back", back);
}

}  // namespace

int main(int argc, char** argv) {
    bool json = false;
    long count = 0, seed = 1;
    const std::vector<std::string> words =
        lab::Command(kHelp).random(count, 100'000, seed).flag("--json", json).parse(argc, argv);
    if (words.size() < 2 || (words.size() == 2) == !count)
        lab::refuse("wants path BITS BLOCK... or place N BLOCK...; see --help");
    const bool path = lab::one_of("the first word", words[0], {"path", "place"}) == "path";
    const auto figure = static_cast<uint32_t>(path ? lab::number("BITS", words[1], 8, 10)
                                                   : lab::number("N", words[1], 1, 4096));
    std::vector<uint32_t> blocks;
    for (size_t i = 2; i < words.size(); ++i)
        blocks.push_back(
            static_cast<uint32_t>(lab::number("BLOCK", words[i], !path, 2'147'483'647)));
    lab::Random random(seed);
    for (long i = 0; i < count; ++i) {  // small and large, so that each level of the index comes
        const long most = path ? 12l << random.between(0, 2) * figure : 100l * figure;
        blocks.push_back(static_cast<uint32_t>(random.between(1, most)));
    }
    std::vector<lab::Object> rows;
    for (const uint32_t block : blocks) {
        // An event of the trace, at which a debugger can stop (scripts/debug --at).
        lab::write_file("/proc/trace_marker", "block " + std::to_string(block));
        rows.push_back((path ? path_of : place_of_bit)(block, figure, json));
    }
    if (!json) return 0;
    lab::Object()
        .add("lab", "lab-index " + words[0])
        .add("input", lab::Object().add(path ? "bits" : "columns", figure).add("blocks", blocks))
        .add("rows", rows)
        .print();
}
