// A damaged FAT12, FAT16 or FAT32 (the first byte of the input says which), mounted and read.
// sources: file_room
// runs: 300
#include "tests/fuzz/patched_image.hpp"

namespace {

Bytes formatted(const std::string& options) {
    return made_by("mformat -C -i image " + options + " :: && mcopy -s -i image tree/* ::");
}

// Boot sector, table, what follows the tables, the folders' clusters.
size_t place_of(const ImageDisk& disk, uint8_t which) {
    const uint8_t* b = disk.bytes.data();
    const size_t sector = 512, reserved = b[14] + b[15] * 256u;
    size_t table = b[22] + b[23] * 256u;
    if (!table) table = b[36] + b[37] * 256u;
    switch (which % 4) {
        case 0: return 0;
        case 1: return reserved * sector;
        case 2: return (reserved + b[16] * table) * sector;
        default: return (reserved + b[16] * table) * sector + which / 4 * sector;
    }
}

}  // namespace

std::vector<Input> fuzz_seeds() {
    std::vector<Input> seeds;
    for (uint8_t kind : {0, 1, 2}) {
        seeds.push_back({kind});
        for (Input input : {patches({{0, 0, 13, 3}, {0, 0, 16, 1}}),
                            patches({{1, 1, 3, 0x00f0}, {1, 3, 8, 0x0fffffff}}),
                            patches({{2, 0, 11, 0x10}, {2, 1, 26, 2}, {2, 3, 28, 0xffff0000}}),
                            patches({{0x83, 3, 0, 0xe5}, {0x80, 1, 11, 1024}})}) {
            input.insert(input.begin(), kind);
            seeds.push_back(input);
        }
    }
    return seeds;
}

int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t count) {
    static ImageDisk* const disks[] = {&make_disk(formatted("-f 720")),
                                       &make_disk(formatted("-T 9000 -c 1 -h 2 -s 9")),
                                       &make_disk(formatted("-F -T 70000 -c 1 -h 16 -s 63"))};
    InputReader input(bytes, count);
    mount_patched(*disks[input.next<uint8_t>() % 3], "vfat", input, place_of);
    return 0;
}
