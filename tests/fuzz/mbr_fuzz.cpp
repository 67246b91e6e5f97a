// Partition tables: whatever they say, partitions lie on the disk, and chains end. The input: the disk's
// sectors, then four entries for each table in the order in which they are read.
// sources:
// runs: 40000
#include "drivers/mbr.hpp"

#include "tests/fuzz/fuzz.hpp"

namespace {

constexpr size_t kTable = 4 * mbr::kEntryBytes;

Input tables(uint32_t sectors, std::vector<std::vector<mbr::Entry>> all) {
    Input input;
    auto put = [&](uint32_t word) {
        for (int i = 0; i < 4; ++i) input.push_back(static_cast<uint8_t>(word >> 8 * i));
    };
    put(sectors);
    for (std::vector<mbr::Entry>& entries : all) {
        entries.resize(4);
        for (const mbr::Entry& e : entries) {
            put(e.boot);
            put(e.type);
            put(e.first);
            put(e.count);
        }
    }
    return input;
}

}  // namespace

std::vector<Input> fuzz_seeds() {
    return {tables(8000, {{{0x80, 0x83, 63, 1000}, {0, 0x0c, 2000, 1000}, {0, 5, 4000, 4000}},
                          {{0, 0x83, 63, 500}, {0, 5, 1000, 1000}},
                          {{0, 0x82, 10, 990}}}),
            tables(100, {{{0, 0x83, 1, 99}}}),
            tables(0xffffffff, {{{0, 0x0f, 1, 0xfffffffe}}, {{0, 0x83, 1, 1}, {0, 5, 0, 9}}})};
}

int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t count) {
    InputReader input(bytes, count);
    const uint64_t sectors = input.next<uint32_t>();
    std::span<const uint8_t> rest = input.rest();
    uint8_t sector[512];
    uint32_t reads = 0, last = 0;
    mbr::for_each_partition(
        sectors, 63,
        [&](uint64_t at) -> std::span<const uint8_t> {
            FUZZ_CHECK(at == 0 || at < sectors);
            FUZZ_CHECK(++reads <= 64);
            const size_t here = rest.size() < kTable ? rest.size() : kTable;
            if (!here) return {};
            std::memset(sector, 0, sizeof sector);
            std::memcpy(sector + mbr::kTableOffset, rest.data(), here);
            sector[510] = 0x55, sector[511] = 0xAA;
            // The last table goes on for ever.
            if (rest.size() > kTable) rest = rest.subspan(here);
            return sector;
        },
        [&](uint32_t number, uint64_t first, uint64_t length, uint8_t type) {
            FUZZ_CHECK(number > last && number <= 63 && type);
            FUZZ_CHECK(first && length && first < sectors && length <= sectors - first);
            last = number;
        });
    return 0;
}
