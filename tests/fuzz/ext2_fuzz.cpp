// A damaged ext2, mounted for writing, walked and changed. The input: block size, what the vandal does, and
// changes of metadata (eight bytes each), where it lies.
// sources: file_room
// runs: 150
#include "tests/fuzz/fuzz.hpp"
#include "tests/host/support/vandal.hpp"

namespace {

constexpr uint32_t kInodes = 128, kInodeBytes = 256;
enum Place : uint8_t { superblock, descriptor, block_bitmap, inode_bitmap, inode, pointed, below };

struct Patch {
    uint8_t place;  // bits 0 to 2; 7: the value is set, else the old one is changed by it
    uint8_t which;  // inode, and for what it points to the pointer's number, 15 of 16 times
    uint16_t offset;
    uint32_t value;
};

class Patcher {
  public:
    Patcher(Bytes& image, size_t block) : image_(image), block_(block) {
        descriptors_ = block == 1024 ? 2048 : block;
        table_ = word(descriptors_ + 8) * block;
    }
    void apply(const Patch& patch) {
        const size_t inode_at = table_ + (patch.which % kInodes) * kInodeBytes;
        switch (patch.place & 7) {
            case superblock: return put(1024, 256, patch);
            case descriptor: return put(descriptors_, 32, patch);
            case block_bitmap: return put(word(descriptors_) * block_, block_, patch);
            case inode_bitmap: return put(word(descriptors_ + 4) * block_, block_, patch);
            case inode: return put(inode_at, 128, patch);
            case pointed: return put(target(inode_at, patch), block_, patch);
            default: {  // behind an index block's first pointer
                const size_t index = target(inode_at, patch);
                if (index) put(word(index) * block_, block_, patch);
            }
        }
    }

  private:
    uint32_t word(size_t at) const {
        uint32_t value = 0;
        if (at + 4 <= image_.size()) std::memcpy(&value, &image_[at], 4);
        return value;
    }
    size_t target(size_t inode_at, const Patch& patch) const {
        return word(inode_at + 40 + (patch.place >> 3 & 15) % 15 * 4) * block_;
    }
    void put(size_t from, size_t bytes, const Patch& patch) {
        const size_t at = from + (patch.offset % bytes & ~size_t{3});
        if (!from || at + 4 > image_.size()) return;
        const uint32_t value = patch.place & 0x80 ? patch.value : word(at) ^ patch.value;
        std::memcpy(&image_[at], &value, 4);
    }
    Bytes& image_;
    const size_t block_;
    size_t descriptors_, table_;
};

Input input_of(uint8_t choice, std::initializer_list<Patch> patches) {
    Input input{choice, 1, 2, 3, 4};
    for (const Patch& patch : patches) {
        const auto* bytes = reinterpret_cast<const uint8_t*>(&patch);
        input.insert(input.end(), bytes, bytes + sizeof patch);
    }
    return input;
}

}  // namespace

std::vector<Input> fuzz_seeds() {
    return {
        input_of(0, {}),
        input_of(1, {}),
        input_of(0, {{inode, 11, 0, 0x4000}, {inode, 12, 40, 7}}),
        input_of(1, {{pointed, 1, 4, 0x0100}, {pointed, 11, 8, 1}, {superblock, 0, 12, 3}}),
        input_of(0, {{pointed | 12 << 3, 20, 0, 0xff}, {below | 13 << 3, 24, 4, 9}}),
        input_of(1, {{0x80 | inode, 14, 4, 0xffffffff}, {block_bitmap, 0, 16, 0xff}}),
        input_of(0, {{descriptor, 0, 12, 0x10000}, {inode_bitmap, 0, 0, 0xff00}}),
        input_of(1, {{0x80 | superblock, 0, 232, 14}, {inode, 13, 24, 3}}),
    };
}

int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t count) {
    static const Bytes good[] = {mixed_image(1024), mixed_image(4096)};
    static ImageDisk& disk = make_disk(good[0]);
    InputReader input(bytes, count);
    const uint8_t which = input.next<uint8_t>() & 1;
    std::mt19937 random(input.next<uint32_t>());
    disk.bytes = good[which];
    const bool whole = input.empty();
    Patcher patcher(disk.bytes, which ? 4096 : 1024);
    for (int most = 64; most > 0 && !input.empty(); --most) patcher.apply(input.next<Patch>());
    const bool mounted = vandalise(disk, random);
    FUZZ_CHECK(mounted || !whole);
    FUZZ_CHECK(forget_all());
    log_lines.clear();
    return 0;
}
