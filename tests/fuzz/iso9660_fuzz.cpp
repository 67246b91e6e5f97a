// A damaged ISO 9660, with Rock Ridge names or without (the first byte of the input says which), mounted
// and read.
// sources: file_room
// runs: 1000
#include "tests/fuzz/patched_image.hpp"

namespace {

// The descriptors' sectors, and those behind: path tables and directories.
size_t place_of(const ImageDisk&, uint8_t which) { return (size_t{16} + which % 64) * 2048; }

}  // namespace

std::vector<Input> fuzz_seeds() {
    std::vector<Input> seeds;
    for (uint8_t kind : {0, 1}) {
        seeds.push_back({kind});
        for (Input input :
             {patches({{0, 0, 158, 1}, {0, 3, 166, 0x800}}), patches({{3, 0, 0, 9}, {4, 0, 32, 3}}),
              patches({{5, 3, 10, 0xff}, {0x86, 1, 36, 0}}),
              patches({{0x80, 0, 0, 0xff}, {1, 0, 1, 'C'}})}) {
            input.insert(input.begin(), kind);
            seeds.push_back(input);
        }
    }
    return seeds;
}

int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t count) {
    static ImageDisk* const disks[] = {
        &make_disk(made_by("xorriso -as mkisofs -R -o image tree")),
        &make_disk(made_by("xorriso -as mkisofs -iso-level 3 -o image tree"))};
    InputReader input(bytes, count);
    mount_patched(*disks[input.next<uint8_t>() % 2], "iso9660", input, place_of);
    return 0;
}
