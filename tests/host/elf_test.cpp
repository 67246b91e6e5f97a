// ELF headers and segments: what is loaded, and what is refused with ENOEXEC.
// sources: kernel/proc/elf.cpp
#include "kernel/proc/elf.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

namespace {

constexpr uint32_t kLimit = 0xbffff000;

ElfHeader good_header() {
    ElfHeader h{};
    const uint8_t ident[] = {0x7f, 'E', 'L', 'F', 1, 1, 1};
    memcpy(h.ident, ident, sizeof ident);
    h.type = kElfFixed;
    h.machine = 3;
    h.version = 1;
    h.program_offset = sizeof h;
    h.program_size = sizeof(ElfSegment);
    h.program_count = 2;
    return h;
}
Result<ElfHeader> parse(const ElfHeader& h, size_t bytes = sizeof(ElfHeader)) {
    return parse_elf_header({reinterpret_cast<const uint8_t*>(&h), bytes});
}

TEST(ElfHeader, AcceptsWhatLinkersMake) {
    EXPECT_TRUE(parse(good_header()).is_ok());
    ElfHeader pie = good_header();
    pie.type = kElfShared;
    EXPECT_TRUE(parse(pie).is_ok());
}

TEST(ElfHeader, RefusesEachWrongField) {
    EXPECT_EQ(parse(good_header(), 51).error(), Errno::noexec);
    auto wrong = [](auto change) {
        ElfHeader h = good_header();
        change(h);
        return parse(h).is_error();
    };
    EXPECT_TRUE(wrong([](ElfHeader& h) { h.ident[0] = 0; }));
    EXPECT_TRUE(wrong([](ElfHeader& h) { h.ident[4] = 2; }));  // 64 bits
    EXPECT_TRUE(wrong([](ElfHeader& h) { h.ident[5] = 2; }));  // big endian
    EXPECT_TRUE(wrong([](ElfHeader& h) { h.type = 1; }));      // an object file
    EXPECT_TRUE(wrong([](ElfHeader& h) { h.machine = 62; }));  // x86-64
    EXPECT_TRUE(wrong([](ElfHeader& h) { h.program_size = 56; }));
    EXPECT_TRUE(wrong([](ElfHeader& h) { h.program_count = 0; }));
    EXPECT_TRUE(wrong([](ElfHeader& h) { h.program_count = 65; }));
}

ElfSegment load(uint32_t address, uint32_t offset, uint32_t file, uint32_t memory) {
    return {kElfLoad, offset, address, address, file, memory, kElfRead, 0x1000};
}
bool accepted(std::initializer_list<ElfSegment> segments) {
    return check_elf_segments({segments.begin(), segments.size()}, kLimit).is_ok();
}

TEST(ElfSegments, Shapes) {
    EXPECT_TRUE(
        accepted({load(0x08048000, 0, 0x500, 0x500), load(0x08049500, 0x500, 0x100, 0x2000)}));
    EXPECT_FALSE(accepted({}));
    EXPECT_FALSE(accepted({load(0x08048000, 1, 0x500, 0x500)}));  // offset not congruent
    EXPECT_FALSE(accepted({load(0x08048000, 0, 0x600, 0x500)}));  // file part too long
    EXPECT_FALSE(accepted({load(0xbfffe000, 0, 0, 0x2000)}));     // into the kernel
    EXPECT_FALSE(accepted({load(0xfffff000, 0, 0, 0x2000)}));     // around the end
    EXPECT_FALSE(accepted({load(0x08049000, 0, 1, 1), load(0x08048000, 0, 1, 1)}));  // descending
    EXPECT_FALSE(accepted({load(0x08048000, 0, 1, 0x1001), load(0x08049000, 0, 1, 1)}));  // overlap
    EXPECT_FALSE(accepted({load(0x08048000, 0xfffff000, 0x1000, 0x1000)}));  // offset beyond 2 GiB
}

TEST(ElfSegments, Extent) {
    ElfSegment segments[] = {load(0x08048010, 0x10, 1, 1), load(0x0804a000, 0, 1, 0x1001)};
    ElfExtent extent = elf_extent(segments);
    EXPECT_EQ(extent.start, 0x08048000u);
    EXPECT_EQ(extent.end, 0x0804c000u);
}

TEST(ElfSegments, RandomTablesNeverEscapeUserSpace) {
    std::mt19937 random(1);
    for (int round = 0; round < 20000; ++round) {
        ElfSegment table[3];
        for (ElfSegment& s : table)
            s = {static_cast<uint32_t>(random() % 2),
                 static_cast<uint32_t>(random()),
                 static_cast<uint32_t>(random()),
                 0,
                 static_cast<uint32_t>(random()),
                 static_cast<uint32_t>(random()),
                 0,
                 0};
        if (check_elf_segments(table, kLimit).is_error()) continue;
        ElfExtent extent = elf_extent(table);
        EXPECT_LE(extent.end, kLimit);
        EXPECT_LT(extent.start, extent.end);
    }
}

}  // namespace

void verify_failed(const char* condition, const char* file, int line) {
    ADD_FAILURE_AT(file, line) << condition;
    abort();
}
