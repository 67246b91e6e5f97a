// lab-fs: how files, names and free space lie on disks: what the formats say, block by block, and what
// finding it costs.
#include "user/lab-fs/lab.hpp"

namespace {

constexpr char kHelp[] =
    "usage: lab-fs PART ...; lab-fs PART --help tells more\n"
    "bmap FILE OFFSET       the way to a byte on ext2, FAT or ISO 9660, and its disk reads\n"
    "levels [--write DIR]   the largest file of each index level, by block size\n"
    "organisations          contiguous, linked, FAT and indexed files: what blocks of one cost\n"
    "lookup PATH            each name on the way, and its disk reads\n"
    "directory              FCBs in directories against inodes: blocks read to find a name\n"
    "bitmap [PATH]          ext2's bitmap of free blocks\n"
    "free                   organisations of free space: in steps, or under one load\n"
    "    # lab-fs levels\n"
    "    block  level            last block   largest file  written and read by\n"
    "     1024  direct                   11          12288  -\n"
    "    ...\n";

}  // namespace

int main(int argc, char** argv) {
    return lab::run_part(kHelp,
                         {{"bmap", bmap},
                          {"levels", levels},
                          {"organisations", organisations},
                          {"lookup", lookup},
                          {"directory", directory},
                          {"bitmap", bitmap},
                          {"free", free_space}},
                         argc, argv);
}
