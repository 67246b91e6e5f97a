// sources: boot/boot_info.cpp
// What loaders say, in both protocols, and what they may get wrong.
#include "boot/boot_info.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

namespace {

constexpr uint32_t kBase = 0x10000;

// Physical memory from kBase on, filled from its start.
struct Memory {
    std::vector<char> bytes;
    uint32_t here() const { return kBase + static_cast<uint32_t>(bytes.size()); }
    uint32_t add(const std::string& data) {
        const uint32_t at = here();
        bytes.insert(bytes.end(), data.begin(), data.end());
        return at;
    }
    uint32_t text(const char* string) { return add(std::string(string, strlen(string) + 1)); }
    uint32_t words(const std::vector<uint32_t>& values) {
        return add(std::string(reinterpret_cast<const char*>(values.data()), 4 * values.size()));
    }
    void align() { bytes.resize((bytes.size() + 7) & ~size_t{7}); }
};

struct Parsed {
    std::unique_ptr<BootInfoStorage> storage = std::make_unique<BootInfoStorage>();
    BootInfo info;
    Parsed(uint32_t magic, uint32_t at, const Memory& memory)
        : info(parse_boot_info(magic, at, {kBase, memory.bytes}, *storage)) {}
    std::vector<MemoryRange> memory() const { return {info.memory.begin(), info.memory.end()}; }
};

std::vector<uint32_t> entry1(uint64_t base, uint64_t length, uint32_t type) {
    return {20,  uint32_t(base), uint32_t(base >> 32), uint32_t(length), uint32_t(length >> 32),
            type};
}

// A Multiboot1 structure with the given flags; the fields by their offsets in words.
uint32_t multiboot1(Memory& m, uint32_t flags, std::vector<std::pair<int, uint32_t>> fields) {
    std::vector<uint32_t> words(30);
    words[0] = flags;
    for (auto [index, value] : fields) words[index] = value;
    return m.words(words);
}

uint32_t map1(Memory& m, const std::vector<std::vector<uint32_t>>& entries, uint32_t* bytes) {
    const uint32_t at = m.here();
    for (const auto& entry : entries) m.words(entry);
    *bytes = m.here() - at;
    return at;
}

TEST(Multiboot1, AllOfIt) {
    Memory m;
    uint32_t bytes;
    const uint32_t map = map1(m,
                              {entry1(0x100000, 0x700000, 1), entry1(0, 0x9F000, 1),
                               entry1(0x9F000, 0x1000, 2), entry1(1ull << 32, 1 << 20, 1)},
                              &bytes);
    const uint32_t line = m.text("/boot/kernel.elf root=/dev/ram0 exec=a%20b");
    const uint32_t name = m.text("some loader");
    const uint32_t module = m.text("/a/path with/disk.img disk ");
    const uint32_t modules = m.words({0x200000, 0x300000, module, 0, 0x400000, 0x400000, 0, 0});
    const uint32_t at =
        multiboot1(m, 1 << 2 | 1 << 3 | 1 << 6 | 1 << 9,
                   {{4, line}, {5, 2}, {6, modules}, {11, bytes}, {12, map}, {16, name}});
    const Parsed p(kMultiboot1Magic, at, m);
    EXPECT_FALSE(p.info.incomplete);
    EXPECT_EQ(p.info.command_line, "root=/dev/ram0 exec=a%20b");
    EXPECT_EQ(p.info.loader_name, "some loader");
    ASSERT_EQ(p.info.modules.size(), 2u);
    EXPECT_EQ(p.info.modules[0].name, "disk");
    EXPECT_EQ(p.info.modules[0].start, 0x200000u);
    EXPECT_EQ(p.info.modules[0].end, 0x300000u);
    EXPECT_EQ(p.info.modules[1].name, "");
    // Up to 1 MiB it is the firmware's, whatever the loader says.
    EXPECT_EQ(p.memory(), (std::vector<MemoryRange>{{0, 0x9F000, true},
                                                    {0x9F000, 0x61000, false},
                                                    {0x100000, 0x700000, true},
                                                    {1ull << 32, 1 << 20, true}}));
}

TEST(Multiboot1, FileNameIsOptional) {
    for (auto [given, expected] : {std::pair{"root=/dev/hda ro", "root=/dev/hda ro"},
                                   {"quiet", "quiet"},
                                   {"/kernel", ""},
                                   {"", ""},
                                   {"a/b  c", "c"}}) {
        Memory m;
        const uint32_t line = m.text(given);
        EXPECT_EQ(Parsed(kMultiboot1Magic, multiboot1(m, 1 << 2, {{4, line}}), m).info.command_line,
                  expected);
    }
}

TEST(Multiboot1, WithoutAMap) {
    Memory m;
    const Parsed p(kMultiboot1Magic, multiboot1(m, 1, {{1, 640}, {2, 15 * 1024}}), m);
    EXPECT_EQ(p.memory(),
              (std::vector<MemoryRange>{
                  {0, 640 << 10, true}, {0xA0000, 0x60000, false}, {1 << 20, 15 << 20, true}}));
}

TEST(Multiboot1, OverlapsAndNeighbours) {
    Memory m;
    uint32_t bytes;
    const uint32_t map =
        map1(m,
             {entry1(0, 0x8000, 1), entry1(0x4000, 0x2000, 2), entry1(0x8000, 0x1000, 1),
              entry1(0x5000, 0x2000, 3), entry1(0x9000, 0, 2)},
             &bytes);
    const Parsed p(kMultiboot1Magic, multiboot1(m, 1 << 6, {{11, bytes}, {12, map}}), m);
    EXPECT_EQ(p.memory(), (std::vector<MemoryRange>{{0, 0x4000, true},
                                                    {0x4000, 0x3000, false},
                                                    {0x7000, 0x2000, true},
                                                    {0xA0000, 0x60000, false}}));
}

TEST(Multiboot1, RangesThatWrapAreCut) {
    Memory m;
    uint32_t bytes;
    const uint32_t map = map1(m, {entry1(~0ull - 0xFFF, ~0ull, 1)}, &bytes);
    const Parsed p(kMultiboot1Magic, multiboot1(m, 1 << 6, {{11, bytes}, {12, map}}), m);
    ASSERT_EQ(p.memory().size(), 2u);  // the firmware's, and this
    EXPECT_GE(p.memory()[1].end(), p.memory()[1].base);
}

TEST(Multiboot1, PointersOutsideAreReported) {
    for (uint32_t bad : {0u, kBase - 2, 0xFFFFFFF0u}) {
        Memory m;
        const uint32_t at =
            multiboot1(m, 1 << 2 | 1 << 3 | 1 << 6,
                       {{4, bad}, {5, 0xFFFFFFFF}, {6, bad}, {11, 0xFFFFFFFF}, {12, bad}});
        const Parsed p(kMultiboot1Magic, at, m);
        EXPECT_TRUE(p.info.incomplete);
        EXPECT_TRUE(p.info.modules.empty());
        EXPECT_TRUE(p.info.memory.empty());
    }
}

TEST(Multiboot1, TooMuchIsReported) {
    Memory m;
    std::vector<std::vector<uint32_t>> entries;
    for (uint32_t i = 0; i < 100; ++i) entries.push_back(entry1(i * 0x10000, 0x1000, 1));
    uint32_t bytes;
    const uint32_t map = map1(m, entries, &bytes);
    std::vector<uint32_t> modules;
    for (uint32_t i = 0; i < 20; ++i) modules.insert(modules.end(), {i, i + 1, 0, 0});
    const uint32_t list = m.words(modules);
    const uint32_t line = m.text(std::string(20000, 'x').c_str());
    const uint32_t at = multiboot1(m, 1 << 2 | 1 << 3 | 1 << 6,
                                   {{4, line}, {5, 20}, {6, list}, {11, bytes}, {12, map}});
    const Parsed p(kMultiboot1Magic, at, m);
    EXPECT_TRUE(p.info.incomplete);
    EXPECT_EQ(p.info.modules.size(), BootInfoStorage::kModules);
    EXPECT_EQ(p.info.memory.size(), BootInfoStorage::kRanges);
}

// Tags of Multiboot2, with the header before and the end tag behind them.
uint32_t multiboot2(Memory& m, const std::vector<std::string>& tags) {
    m.align();
    const uint32_t at = m.words({0, 0});
    for (const std::string& tag : tags) {
        m.add(tag);
        m.align();
    }
    m.words({0, 8});
    const uint32_t size = m.here() - at;
    memcpy(&m.bytes[at - kBase], &size, 4);
    return at;
}

std::string tag(uint32_t type, const std::vector<uint32_t>& words, const std::string& text = "") {
    const uint32_t size = static_cast<uint32_t>(8 + 4 * words.size() + text.size());
    std::string bytes(size, 0);
    memcpy(&bytes[0], &type, 4);
    memcpy(&bytes[4], &size, 4);
    if (!words.empty()) memcpy(&bytes[8], words.data(), 4 * words.size());
    if (!text.empty()) memcpy(&bytes[8 + 4 * words.size()], text.data(), text.size());
    return bytes;
}
std::string zero_ended(const char* text) { return std::string(text, strlen(text) + 1); }

TEST(Multiboot2, AllOfIt) {
    Memory m;
    const uint32_t at =
        multiboot2(m, {tag(1, {}, zero_ended("root=/dev/hda")), tag(2, {}, zero_ended("GRUB")),
                       tag(99, {1, 2, 3}), tag(4, {640, 1024}),
                       tag(3, {0x200000, 0x300000}, zero_ended("disk")),
                       tag(6, {24, 0, 0, 0, 0xA0000, 0, 1, 0, 0x100000, 0, 0x10000, 0, 2, 0})});
    const Parsed p(kMultiboot2Magic, at, m);
    EXPECT_FALSE(p.info.incomplete);
    EXPECT_EQ(p.info.command_line, "root=/dev/hda");
    EXPECT_EQ(p.info.loader_name, "GRUB");
    ASSERT_EQ(p.info.modules.size(), 1u);
    EXPECT_EQ(p.info.modules[0].name, "disk");
    EXPECT_EQ(p.memory(),
              (std::vector<MemoryRange>{{0, 0xA0000, true}, {0xA0000, 0x70000, false}}));
}

std::string root_pointer(size_t bytes) {
    std::string text = "RSD PTR ";
    text.resize(bytes, 'x');
    return text;
}

TEST(Multiboot2, AcpiIsCopiedAndTheNewOneWins) {
    for (bool new_first : {false, true}) {
        Memory m;
        std::vector<std::string> tags = {tag(14, {}, root_pointer(20)),
                                         tag(15, {}, root_pointer(36))};
        if (new_first) std::swap(tags[0], tags[1]);
        const Parsed p(kMultiboot2Magic, multiboot2(m, tags), m);
        m.bytes.assign(m.bytes.size(), 0);
        ASSERT_EQ(p.info.acpi.size(), 36u);
        EXPECT_EQ(memcmp(p.info.acpi.data(), root_pointer(36).data(), 36), 0);
    }
    Memory m;
    EXPECT_EQ(Parsed(kMultiboot2Magic, multiboot2(m, {tag(14, {}, root_pointer(20))}), m)
                  .info.acpi.size(),
              20u);
    Memory cut;
    EXPECT_TRUE(Parsed(kMultiboot2Magic, multiboot2(cut, {tag(15, {}, root_pointer(12))}), cut)
                    .info.acpi.empty());
}

// Address, pitch, width, height; bits, type; where each colour begins and how wide it is.
std::string framebuffer(uint32_t pitch, uint8_t bits, uint8_t type, uint8_t red_bits = 8) {
    return tag(8, {0x80000000, 1, pitch, 800, 600, uint32_t(bits | type << 8),
                   uint32_t(16 | red_bits << 8 | 8 << 16 | 8 << 24), 0 | 8 << 8});
}

TEST(Multiboot2, Framebuffer) {
    for (uint8_t bits : {24, 32}) {
        Memory m;
        const Parsed p(kMultiboot2Magic, multiboot2(m, {framebuffer(3200, bits, 1)}), m);
        const BootFramebuffer& f = p.info.framebuffer;
        EXPECT_EQ(f.address, 0x180000000u);
        EXPECT_EQ(f.pitch, 3200u);
        EXPECT_EQ(f.width, 800u);
        EXPECT_EQ(f.height, 600u);
        EXPECT_EQ(f.bits, bits);
        EXPECT_EQ(f.red, 16);
        EXPECT_EQ(f.green, 8);
        EXPECT_EQ(f.blue, 0);
    }
    // Text, a palette, 16 bits, colours of other widths, rows too short: nothing to draw on.
    for (const std::string& bad :
         {framebuffer(160, 16, 2), framebuffer(800, 8, 0), framebuffer(1600, 16, 1),
          framebuffer(3200, 32, 1, 5), framebuffer(2399, 24, 1)}) {
        Memory m;
        EXPECT_EQ(Parsed(kMultiboot2Magic, multiboot2(m, {bad}), m).info.framebuffer.bits, 0);
    }
}

TEST(Multiboot2, EfiMapServesWhereThereIsNoOther) {
    std::vector<uint32_t> words = {48, 1};
    const auto add = [&](uint32_t type, uint64_t base, uint32_t pages) {
        for (uint32_t word :
             {type, 0u, uint32_t(base), uint32_t(base >> 32), 0u, 0u, pages, 0u, 0u, 0u, 0u, 0u})
            words.push_back(word);
    };
    add(3, 0, 0x50);          // boot services' code: free by now
    add(0, 0x50000, 0x10);    // reserved
    add(7, 0x100000, 0x100);  // conventional
    add(6, 0x200000, 0x10);   // runtime services
    add(9, 0x210000, 0x10);   // ACPI's tables
    Memory m;
    const Parsed p(kMultiboot2Magic, multiboot2(m, {tag(17, words)}), m);
    EXPECT_EQ(p.memory(), (std::vector<MemoryRange>{{0, 0x50000, true},
                                                    {0x50000, 0x10000, false},
                                                    {0xA0000, 0x60000, false},
                                                    {0x100000, 0x100000, true},
                                                    {0x200000, 0x20000, false}}));
    Memory both;
    const Parsed q(kMultiboot2Magic,
                   multiboot2(both, {tag(17, words), tag(6, {24, 0, 0, 0, 0x8000, 0, 1, 0})}),
                   both);
    EXPECT_EQ(q.memory(), (std::vector<MemoryRange>{{0, 0x8000, true}, {0xA0000, 0x60000, false}}));
}

TEST(Multiboot2, BadSizesEndTheParsing) {
    for (uint32_t size : {0u, 7u, 0x7FFFFFFFu, 0xFFFFFFFFu}) {
        Memory m;
        std::string bad = tag(1, {}, zero_ended("x"));
        memcpy(&bad[4], &size, 4);
        const Parsed p(kMultiboot2Magic, multiboot2(m, {bad}), m);
        EXPECT_TRUE(p.info.incomplete);
    }
    for (uint32_t entry_size : {0u, 8u, 23u}) {
        Memory m;
        const Parsed p(kMultiboot2Magic, multiboot2(m, {tag(6, {entry_size, 0, 0, 0, 1, 0, 1, 0})}),
                       m);
        EXPECT_TRUE(p.info.incomplete);
    }
}

TEST(Multiboot2, TextWithoutAnEndIsCut) {
    Memory m;
    const Parsed p(kMultiboot2Magic, multiboot2(m, {tag(1, {}, "abcd")}), m);
    EXPECT_TRUE(p.info.incomplete);
    EXPECT_EQ(p.info.command_line, "abcd");
}

TEST(BootInfo, UnknownMagic) {
    const Parsed p(0, 0, Memory{});
    EXPECT_TRUE(p.info.incomplete);
    EXPECT_TRUE(p.info.memory.empty());
}

}  // namespace
