// sources:
// What IDENTIFY DEVICE says, and how sector numbers are put into registers; packets and answers.
#include <gtest/gtest.h>

#include <cstring>

#include "drivers/atapi.hpp"
#include "drivers/ide_registers.hpp"

namespace {

struct Words {
    uint16_t w[ata::kIdentifyWords] = {};
    Words(const char* model, uint32_t sectors28, uint64_t sectors48) {
        for (uint32_t i = 0; i < 40; ++i) {
            size_t length = strlen(model);
            auto c = static_cast<uint8_t>(i < length ? model[i] : ' ');
            w[27 + i / 2] = static_cast<uint16_t>(w[27 + i / 2] | (i % 2 ? c : c << 8));
        }
        w[47] = 0x8010;
        w[49] = 1 << 9;
        w[60] = sectors28 & 0xFFFF;
        w[61] = static_cast<uint16_t>(sectors28 >> 16);
        w[83] = 0x4000;
        if (sectors48) w[83] |= 1 << 10 | 1 << 12;
        for (uint32_t i = 0; i < 4; ++i) w[100 + i] = sectors48 >> 16 * i & 0xFFFF;
    }
};

TEST(IdeIdentity, SmallDisk) {
    ata::Identity id = ata::decode_identity(Words("QEMU HARDDISK", 0x12345, 0).w);
    EXPECT_STREQ(id.model, "QEMU HARDDISK");
    EXPECT_TRUE(id.lba);
    EXPECT_FALSE(id.lba48);
    EXPECT_FALSE(id.flush);
    EXPECT_EQ(id.sectors, 0x12345u);
    EXPECT_EQ(id.multiple, 16u);
}

TEST(IdeIdentity, LargeDisk) {
    ata::Identity id = ata::decode_identity(Words("BIG", 0x0FFFFFFF, 0x123456789A).w);
    EXPECT_TRUE(id.lba48);
    EXPECT_TRUE(id.flush);
    EXPECT_EQ(id.sectors, 0x123456789Au);
}

TEST(IdeIdentity, InvalidFeatureWordsAreIgnored) {
    Words words("OLD", 1000, 0);
    words.w[83] = 0xFFFF;
    words.w[47] = 0;
    ata::Identity id = ata::decode_identity(words.w);
    EXPECT_FALSE(id.lba48);
    EXPECT_EQ(id.multiple, 1u);
}

TEST(IdeIdentity, FullAndUnprintableModel) {
    Words words("0123456789012345678901234567890123456789", 1, 0);
    EXPECT_STREQ(ata::decode_identity(words.w).model, "0123456789012345678901234567890123456789");
    words.w[27] = 0x0007;
    EXPECT_STREQ(ata::decode_identity(words.w).model, "  23456789012345678901234567890123456789");
}

TEST(IdeAddress, TwentyEightBits) {
    ata::Address a = ata::encode_address(0x1234567, 8, false);
    EXPECT_FALSE(a.wide);
    EXPECT_EQ(a.device, 0xE1);
    EXPECT_EQ(a.count, 8);
    EXPECT_EQ(a.lba[0], 0x67);
    EXPECT_EQ(a.lba[1], 0x45);
    EXPECT_EQ(a.lba[2], 0x23);
    EXPECT_EQ(ata::encode_address(0, 256, true).count, 0);
    EXPECT_EQ(ata::encode_address(0, 256, true).device, 0xF0);
}

TEST(IdeAddress, FortyEightBits) {
    ata::Address a = ata::encode_address(0xABCDEF012345, 256, true);
    EXPECT_TRUE(a.wide);
    EXPECT_EQ(a.count, 256);
    EXPECT_EQ(a.device, 0xF0);
    const uint8_t expected[6] = {0x45, 0x23, 0x01, 0xEF, 0xCD, 0xAB};
    for (int i = 0; i < 6; ++i) EXPECT_EQ(a.lba[i], expected[i]);
    EXPECT_FALSE(ata::encode_address(0x0FFFFF00, 256, false).wide);
    EXPECT_TRUE(ata::encode_address(0x0FFFFF01, 256, false).wide);
}

TEST(SataFis, HasTheRegistersInItsOrder) {
    ata::Fis fis;
    ata::encode_fis(fis, ata::kReadDmaExt, ata::encode_address(0x123456789AB, 0x100, false), 5);
    const ata::Fis expected = {0x27, 0x80, 0x25, 5,    0xAB, 0x89, 0x67,
                               0xE0, 0x45, 0x23, 0x01, 0,    0,    1};
    EXPECT_EQ(memcmp(fis, expected, sizeof fis), 0);
    ata::encode_fis(fis, ata::kWriteDma, ata::encode_address(0x0ABCDEF1, 256, false));
    const ata::Fis narrow = {0x27, 0x80, 0xCA, 0, 0xF1, 0xDE, 0xBC, 0xEA, 0x0A};
    EXPECT_EQ(memcmp(fis, narrow, sizeof fis), 0);
}

TEST(Atapi, PacketsToRead) {
    const atapi::Packet ten = atapi::read_blocks(0x00010203, 64);
    EXPECT_EQ(ten, (atapi::Packet{0x28, 0, 0, 1, 2, 3, 0, 0, 64}));
    const atapi::Packet twelve = atapi::read_blocks(0xFFFFFFFE, 0x12345);
    EXPECT_EQ(twelve, (atapi::Packet{0xA8, 0, 0xFF, 0xFF, 0xFF, 0xFE, 0, 1, 0x23, 0x45}));
    EXPECT_EQ(atapi::read_blocks(0, 0xFFFF)[0], atapi::kRead10);
}

TEST(Atapi, Answers) {
    const uint8_t absent[atapi::kSenseBytes] = {0x70, 0, 0xF2, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x3A, 1};
    const atapi::Sense sense = atapi::decode_sense(absent);
    EXPECT_EQ(sense.key, atapi::SenseKey::not_ready);  // the upper bits are others'
    EXPECT_EQ(sense.code, atapi::kMediumNotPresent);
    EXPECT_EQ(sense.qualifier, 1);
    const uint8_t last_and_size[atapi::kCapacityBytes] = {0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 8, 0};
    const atapi::Capacity capacity = atapi::decode_capacity(last_and_size);
    EXPECT_EQ(capacity.blocks, uint64_t{1} << 32);
    EXPECT_EQ(capacity.block_bytes, atapi::kBlockBytes);
    EXPECT_EQ(atapi::device_type(0x85C0), atapi::kCdRom);
}

}  // namespace
