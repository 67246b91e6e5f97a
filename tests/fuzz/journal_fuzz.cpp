// A damaged log, replayed. The input: which log (its checksums), and changes of the journal's blocks, eight
// bytes each. What is read and written lies in the journal and in the file system; damage that is told has
// written nothing; what is replayed is the same the second time.
// sources: fs/journal/superblock.cpp fs/journal/replay.cpp kernel/lib/format.cpp
// runs: 1500
#include <algorithm>
#include <map>

#include "fs/journal/replay.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/host/support/journal_image.hpp"

namespace {

using namespace journal;

constexpr uint32_t kBlock = 1024, kLogBlocks = 64, kBlocks = 4096;

struct Patch {
    uint16_t block;  // of the log, from its start on; bit 15: the superblock
    uint16_t offset;
    uint32_t value;  // the old one is changed by it
};

// A log of three transactions with revokes, an escaped block, and one that has no commit.
JournalImage make_log(Checksums checksums) {
    JournalImage image(kBlock, checksums, kBlocks);
    auto block = [](uint32_t target, uint8_t fill) {
        return LogBlock{target, std::vector<uint8_t>(kBlock, fill)};
    };
    LogBlock escaped = block(3001, 7);
    Big32 magic;
    magic = kMagic;
    std::memcpy(escaped.contents.data(), &magic, sizeof magic);
    image.begin(3, 0xfffffffe);  // both wrap
    image.transaction({block(3000, 1), escaped, block(3002, 2)}, {3010});
    image.transaction({block(3000, 3), block(3010, 4)}, {});
    image.transaction({block(3002, 5)}, {3000, 3001});
    image.transaction({block(3003, 6)}, {}, false);
    image.finish();
    return image;
}

class Disk final : public LogStore {
  public:
    Disk(const JournalImage& image, std::vector<std::vector<uint8_t>>& log)
        : image_(image), log_(log) {}
    Result<std::span<const uint8_t>> read(uint32_t index) override {
        FUZZ_CHECK(index < log_.size());
        last_ = log_[index];  // what was read before is gone
        return std::span<const uint8_t>(last_);
    }
    Result<void> write(uint32_t block, std::span<const uint8_t> contents) override {
        FUZZ_CHECK(may_write(block) && contents.size() == kBlock);
        written[block].assign(contents.begin(), contents.end());
        return {};
    }
    bool may_write(uint32_t block) const override {
        return block < kBlocks &&
               std::find(image_.map().begin(), image_.map().end(), block) == image_.map().end();
    }
    std::map<uint32_t, std::vector<uint8_t>> written;

  private:
    const JournalImage& image_;
    std::vector<std::vector<uint8_t>>& log_;
    std::vector<uint8_t> last_;
};

Input input_of(uint8_t kind, std::initializer_list<Patch> all) {
    Input input{kind};
    for (const Patch& patch : all) {
        const auto* bytes = reinterpret_cast<const uint8_t*>(&patch);
        input.insert(input.end(), bytes, bytes + sizeof patch);
    }
    return input;
}

}  // namespace

std::vector<Input> fuzz_seeds() {
    std::vector<Input> seeds;
    for (uint8_t kind = 0; kind < 4; ++kind) {
        seeds.push_back({kind});
        seeds.push_back(input_of(kind, {{0, 12, 0x01000000}, {1, 12, 0x10000000}}));
        seeds.push_back(input_of(kind, {{1, 16, 0x08000000}, {5, 8, 0x01000000}}));
        seeds.push_back(input_of(kind, {{0x8000, 28, 0x05000000}, {0x8000, 20, 0x01000000}}));
        seeds.push_back(input_of(kind, {{6, 4, 0x06000000}, {7, 20, 0x08000000}}));
    }
    return seeds;
}

int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t count) {
    static JournalImage images[] = {make_log(Checksums::none), make_log(Checksums::v1),
                                    make_log(Checksums::v2), make_log(Checksums::v3)};
    InputReader input(bytes, count);
    JournalImage& image = images[input.next<uint8_t>() % 4];
    const bool whole = input.empty();
    std::vector<std::vector<uint8_t>> log;
    for (uint32_t block : image.map()) log.push_back(image.block(block));
    const Ring ring = image.shape().ring;
    for (int most = 64; most > 0 && !input.empty(); --most) {
        const auto patch = input.next<Patch>();
        const uint32_t index = patch.block & 0x8000
                                   ? 0
                                   : ring.ahead(image.superblock().start, patch.block % kLogBlocks);
        uint8_t* at = &log[index][patch.offset % kBlock & ~3u];
        uint32_t value;
        std::memcpy(&value, at, sizeof value);
        value ^= patch.value;
        std::memcpy(at, &value, sizeof value);
    }
    Superblock super;
    std::memcpy(&super, log[0].data(), sizeof super);
    char text[200];
    BufferSink why(text);
    const Result<Shape> shape =
        check_superblock(super, kBlock, static_cast<uint32_t>(log.size()), why);
    if (shape.is_error()) {
        FUZZ_CHECK(!whole && !why.view().empty());
        return 0;
    }
    Disk disk(image, log);
    Replay replay(shape.value(), disk);
    const Result<void> scanned = replay.scan();
    FUZZ_CHECK(disk.written.empty());
    if (scanned.is_error()) {
        FUZZ_CHECK(!whole && scanned.error() == Errno::inval && !replay.reason().empty());
        return 0;
    }
    FUZZ_CHECK(replay.write_back().is_ok());
    FUZZ_CHECK(disk.written.size() <= replay.written() && replay.written() <= log.size());
    FUZZ_CHECK(!whole || (replay.transactions() == 3 && disk.written.size() == 2));
    Disk again(image, log);
    Replay second(shape.value(), again);
    FUZZ_CHECK(second.scan().is_ok() && second.write_back().is_ok());
    FUZZ_CHECK(again.written == disk.written && second.next_sequence() == replay.next_sequence());
    return 0;
}
