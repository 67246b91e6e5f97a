// lab-index: the arithmetic of files, without a disk.
//   lab-index path BITS BLOCK...    the way to a file's block: the pointer in the inode, then in each
//                                   index block of 2^BITS pointers (fs/ext2/block_map.hpp)
//   lab-index place N BLOCK...      row i and column j of its bit in rows of N, and back
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "fs/ext2/block_map.hpp"
#include "fs/free_space/free_bitmap.hpp"
#include "user/lab/setting.hpp"

namespace {

[[noreturn]] void usage() {
    fputs(
        "usage: lab-index path BITS BLOCK...    (BITS from 8 to 10)\n"
        "       lab-index place N BLOCK...      (N from 1 to 4096, BLOCK from 1)\n",
        stderr);
    exit(2);
}

uint32_t number(const char* text, uint32_t least, uint32_t most) {
    char* end;
    const unsigned long value = strtoul(text, &end, 10);
    if (end == text || *end || value < least || value > most) usage();
    return static_cast<uint32_t>(value);
}

void show_path(uint32_t block, uint32_t bits) {
    printf("block %u:", block);
    const auto path = ext2::block_path(block, bits);
    if (!path) return void(printf(" none\n"));
    for (uint32_t i = 0; i <= path->levels && i < 4; ++i) printf(" %u", path->index[i]);
    printf(" left %u\n", path->left);
}

void show_place(uint32_t block, uint32_t n) {
    const BitmapPlace place = place_of(block, n);
    printf("block %u: (%u, %u) back %u\n", block, place.row, place.column, block_at(place, n));
}

}  // namespace

int main(int argc, char* argv[]) {
    if (argc < 4) usage();
    const bool path = strcmp(argv[1], "path") == 0;
    if (!path && strcmp(argv[1], "place") != 0) usage();
    const uint32_t figure = path ? number(argv[2], 8, 10) : number(argv[2], 1, 4096);
    for (int i = 3; i < argc; ++i) {
        const uint32_t block = number(argv[i], path ? 0 : 1, UINT32_MAX);
        // An event of the trace, at which a debugger can stop (scripts/debug --at).
        lab::write_file("/proc/trace_marker", "block " + std::to_string(block));
        path ? show_path(block, figure) : show_place(block, figure);
    }
}
