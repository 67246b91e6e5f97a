// organisations: what reading a file costs by how its blocks are found (organisation.hpp).
#include <algorithm>
#include <set>

#include "user/lab-fs/lab.hpp"
#include "user/lab-fs/organisation.hpp"
#include "user/lab/random.hpp"
#include "user/lab/table.hpp"

namespace {

constexpr char kHelp[] =
    "usage: lab-fs organisations [--blocks N] [--block BYTES] [--json]\n"
    "                            [BLOCK... | --random N [--seed S]]\n"
    "A file of N blocks (1000) of 1024 bytes, scattered over the disk (contiguous: in one piece).\n"
    "sequential: blocks read for the whole file, what was read being kept; direct: for the given\n"
    "blocks of it (0, the middle, the last), with nothing in memory before each; look-ups: steps "
    "in\n"
    "the FAT in memory for them; own: blocks that hold only numbers; lost: bytes of links in its "
    "data\n"
    "blocks; moved: blocks to copy when the file grows by one and the block behind it is taken.\n"
    "`lab-fs bmap` measures real ones: ISO 9660 is contiguous, FAT explicit links, ext2 mixed.\n"
    "    # lab-fs organisations --blocks 500 499 250\n"
    "    organisation          sequential  direct   mean  look-ups  own  lost  moved\n"
    "    contiguous                   500       2   1.00         0    0     0    500\n"
    "    implicit links               500     252 126.00         0    0  2000      0\n"
    "    explicit links (FAT)         500       2   1.00       749    0     0      0\n"
    "    multi-level index            503       6   3.00         0    3     0      0\n"
    "    mixed index                  503       5   2.50         0    3     0      0\n";

// A file scattered over a disk ten times as large: no block twice.
DiskFile scattered(long blocks, long block_bytes, long seed) {
    DiskFile file{{}, static_cast<uint32_t>(block_bytes / 4)};
    lab::Random random(seed);
    std::vector<uint32_t> places(static_cast<size_t>(blocks) * 10);
    for (size_t i = 0; i < places.size(); ++i) places[i] = static_cast<uint32_t>(i);
    for (size_t i = 0; i < static_cast<size_t>(blocks); ++i) {
        std::swap(places[i], places[static_cast<size_t>(random.between(
                                 static_cast<long>(i), static_cast<long>(places.size()) - 1))]);
        file.blocks.push_back(places[i]);
    }
    return file;
}

void add_row(lab::Table& table, const FileOrganisation& how, uint32_t blocks,
             const std::vector<long>& wanted) {
    std::set<uint32_t> all;
    for (uint32_t i = 0; i < blocks; ++i)
        for (uint32_t block : how.way(i)) all.insert(block);
    uint64_t direct = 0, look_ups = 0;
    for (long index : wanted) {
        direct += how.way(static_cast<uint32_t>(index)).size();
        look_ups += how.look_ups(static_cast<uint32_t>(index));
    }
    table.row({std::string(how.name()), all.size(), direct,
               lab::Decimal{double(direct) / double(wanted.size()), 2}, look_ups,
               all.size() - blocks, how.lost_bytes() * blocks, how.moved_to_grow()});
}

}  // namespace

int organisations(int argc, char** argv) {
    long blocks = 1000, block_bytes = 1024, random = 0, seed = 1;
    bool json = false;
    const std::vector<std::string> words = lab::Command(kHelp)
                                               .number("--blocks", blocks, 1, 1'000'000)
                                               .number("--block", block_bytes, 512, 65'536)
                                               .random(random, 100'000, seed)
                                               .flag("--json", json)
                                               .parse(argc, argv);
    if (!words.empty() && random) lab::refuse("either blocks, or --random N of them");
    std::vector<long> wanted;
    for (const std::string& word : words)
        wanted.push_back(lab::number("a block of the file", word, 0, blocks - 1));
    lab::Random chance(seed);
    for (long n = 0; n < random; ++n) wanted.push_back(chance.between(0, blocks - 1));
    if (wanted.empty()) wanted = {0, blocks / 2, blocks - 1};
    const DiskFile file = scattered(blocks, block_bytes, seed);
    DiskFile one_piece = file;
    for (size_t i = 0; i < one_piece.blocks.size(); ++i)
        one_piece.blocks[i] = static_cast<uint32_t>(i + 100);
    lab::Table table({{"organisation", "organisation"},
                      {"sequential", "sequential"},
                      {"direct", "direct"},
                      {"mean", "mean"},
                      {"look_ups", "look-ups"},
                      {"own", "own"},
                      {"lost", "lost"},
                      {"moved", "moved"}});
    const auto count = static_cast<uint32_t>(blocks);
    add_row(table, Contiguous(one_piece), count, wanted);
    add_row(table, ImplicitLinks(file), count, wanted);
    add_row(table, ExplicitLinks(file), count, wanted);
    add_row(table, MultiLevelIndex(file), count, wanted);
    add_row(table, MixedIndex(file), count, wanted);
    if (!json) return table.print(), 0;
    lab::Object()
        .add("lab", "lab-fs organisations")
        .add("input",
             lab::Object().add("blocks", blocks).add("block", block_bytes).add("wanted", wanted))
        .add("rows", table.rows())
        .print();
    return 0;
}
