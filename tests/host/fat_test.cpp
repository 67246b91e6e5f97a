// sources:
// FAT: boot sectors, names short and long, and whatever bytes a disk may hold.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "fs/fat/name.hpp"

namespace {

using Raw = std::vector<uint8_t>;
using Next = fat::NameReader::Next;

// A floppy disk of 1.44 MB.
Raw floppy() {
    Raw b(512);
    b[0] = 0xEB;
    b[12] = 2;  // 512 bytes
    b[13] = 1;
    b[14] = 1;
    b[16] = 2;
    b[17] = 224;
    b[19] = 0x40, b[20] = 0x0B;  // 2880 sectors
    b[22] = 9;
    b[510] = 0x55, b[511] = 0xAA;
    return b;
}

Raw short_entry(const char* name) {
    Raw raw(32);
    std::memcpy(raw.data(), name, 11);
    raw[26] = 5;
    raw[28] = 7;
    return raw;
}

Raw long_piece(uint8_t order, const std::u16string& text, uint8_t sum) {
    constexpr uint8_t kPlaces[] = {1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30};
    Raw raw(32);
    raw[0] = order;
    raw[11] = 15;
    raw[13] = sum;
    for (size_t i = 0; i < 13; ++i) {
        const char16_t c = i < text.size() ? text[i] : i == text.size() ? 0 : 0xFFFF;
        raw[kPlaces[i]] = static_cast<uint8_t>(c);
        raw[kPlaces[i] + 1u] = static_cast<uint8_t>(c >> 8);
    }
    return raw;
}

TEST(Fat, GeometryOfAFloppyDisk) {
    const auto g = fat::decode_boot_sector(floppy(), 1474560);
    ASSERT_TRUE(g);
    EXPECT_EQ(g->bits, 12u);
    EXPECT_EQ(g->root_start, 19u * 512);
    EXPECT_EQ(g->data_start, 33u * 512);
    EXPECT_EQ(g->last_cluster, 2848u);
    EXPECT_FALSE(fat::decode_boot_sector(floppy(), 1474560 - 512));
}

TEST(Fat, EntriesOfTwelveBitsShareAByte) {
    // Entries 2 and 3 are 0x123 and 0x456: bytes 23 61 45.
    EXPECT_EQ(fat::entry_value(12, 2, 0x6123), 0x123u);
    EXPECT_EQ(fat::entry_value(12, 3, 0x4561), 0x456u);
}

TEST(Fat, ShortNames) {
    fat::NameReader reader;
    fat::Entry e;
    ASSERT_EQ(reader.feed(short_entry("README  TXT").data(), e), Next::entry);
    EXPECT_EQ(e.view(), "README.TXT");
    EXPECT_EQ(e.first_cluster, 5u);
    EXPECT_EQ(e.bytes, 7u);
    Raw lower = short_entry("KERNEL     ");
    lower[12] = 0x08;
    ASSERT_EQ(reader.feed(lower.data(), e), Next::entry);
    EXPECT_EQ(e.view(), "kernel");
}

TEST(Fat, LongNames) {
    const Raw alias = short_entry("ALONGN~1TXT");
    const uint8_t sum = fat::short_name_sum(alias.data());
    fat::NameReader reader;
    fat::Entry e;
    EXPECT_EQ(reader.feed(long_piece(0x42, u"n \x4e2d.text", sum).data(), e), Next::more);
    EXPECT_EQ(reader.feed(long_piece(0x01, u"A long name, i", sum).data(), e), Next::more);
    ASSERT_EQ(reader.feed(alias.data(), e), Next::entry);
    EXPECT_EQ(e.view(), "A long name, n \xe4\xb8\xad.text");
    // Of another file, or with a piece missing: the short name counts.
    reader.feed(long_piece(0x41, u"x", static_cast<uint8_t>(sum + 1)).data(), e);
    reader.feed(alias.data(), e);
    EXPECT_EQ(e.view(), "ALONGN~1.TXT");
    reader.feed(long_piece(0x42, u"x", sum).data(), e);
    reader.feed(alias.data(), e);
    EXPECT_EQ(e.view(), "ALONGN~1.TXT");
}

TEST(Fat, AnyBytesAreTakenOrRefused) {
    std::mt19937 random(1);
    for (uint32_t i = 0; i < 200'000; ++i) {
        Raw b = floppy();
        for (uint32_t n = random() % 8; n-- > 0;) b[random() % 64] = static_cast<uint8_t>(random());
        const uint64_t disk = 1474560;
        if (const auto g = fat::decode_boot_sector(b, disk)) {
            ASSERT_LE(g->place(g->last_cluster) + g->cluster_bytes, disk);
            ASSERT_LE(g->root_start + g->root_bytes, disk);
            ASSERT_LE(g->fat_start + fat::entry_offset(g->bits, g->last_cluster) + 2,
                      g->root_start);
        }
    }
    fat::NameReader reader;
    fat::Entry e;
    for (uint32_t i = 0; i < 300'000; ++i) {
        Raw raw(32);
        for (uint8_t& byte : raw) byte = static_cast<uint8_t>(random());
        if (random() % 4) raw[11] = 15, raw[13] = 0, raw[0] = (random() % 2) * 0x40 + random() % 21;
        if (reader.feed(raw.data(), e) != Next::entry) continue;
        ASSERT_GE(e.name_length, 1u);
        ASSERT_LE(e.name_length, 255u);
        ASSERT_EQ(e.view().find('/'), std::string_view::npos);
        ASSERT_EQ(e.view().find('\0'), std::string_view::npos);
    }
}

}  // namespace
