// What a loader hands over, in both protocols: the memory map comes out sorted and without overlaps, texts
// and modules end. The input: which protocol, where the structure begins, and the memory it lies in.
// sources: boot/boot_info.cpp
// runs: 40000
#include "boot/boot_info.hpp"

#include <memory>

#include "tests/fuzz/fuzz.hpp"

namespace {

constexpr uint32_t kBase = 0x10000;

Input words(uint8_t protocol, std::initializer_list<uint32_t> all, const char* text = "") {
    Input input{protocol, 0};
    for (uint32_t word : all)
        for (int i = 0; i < 4; ++i) input.push_back(static_cast<uint8_t>(word >> 8 * i));
    input.insert(input.end(), text, text + strlen(text) + 1);
    return input;
}

}  // namespace

std::vector<Input> fuzz_seeds() {
    return {
        words(1,
              {1 << 2 | 1 << 3 | 1 << 6,
               0,
               0,
               0,
               kBase + 108,
               1,
               kBase + 92,
               0,
               0,
               0,
               0,
               40,
               kBase + 52,
               20,
               0,
               0,
               0x9f000,
               0,
               1,
               20,
               0x100000,
               0,
               0x700000,
               0x200000,
               0x300000,
               kBase + 108,
               0},
              "kernel.elf root=/dev/ram0 disk"),
        words(2, {160,      0,          1,        18, 0x6e72656b, 0x61206c65, 0x62, 0,  6,
                  64,       24,         0,        0,  0,          0x9f000,    0,    1,  0,
                  0x100000, 0,          0x700000, 0,  1,          0,          3,    21, 0x200000,
                  0x300000, 0x6b736964, 0,        0,  0,          0,          8}),
        words(2, {16, 0, 0, 8}),
        words(0, {}),
    };
}

int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t count) {
    InputReader input(bytes, count);
    const uint32_t magics[] = {0, kMultiboot1Magic, kMultiboot2Magic, 2};
    const uint32_t magic = magics[input.next<uint8_t>() % 4];
    const uint32_t at = kBase + input.next<uint8_t>();
    const std::vector<char> memory(input.rest().begin(), input.rest().end());
    const auto storage = std::make_unique<BootInfoStorage>();
    const BootInfo info = parse_boot_info(magic, at, {kBase, memory}, *storage);
    const MemoryRange* last = nullptr;
    for (const MemoryRange& range : info.memory) {
        FUZZ_CHECK(range.length && range.end() > range.base);
        FUZZ_CHECK(!last || last->end() <= range.base);
        FUZZ_CHECK(!last || last->usable != range.usable || last->end() < range.base);
        last = &range;
    }
    size_t text = info.command_line.size() + info.loader_name.size();
    for (const BootModule& module : info.modules) {
        FUZZ_CHECK(module.start <= module.end);
        text += module.name.size();
    }
    FUZZ_CHECK(text <= BootInfoStorage::kText);
    return 0;
}
