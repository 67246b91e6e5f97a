// sources:
// Rows of characters as pixels: both widths, every order of colours, scaled.
#include "drivers/cell_painter.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace {

std::vector<uint8_t> painted(const BootFramebuffer& format, uint32_t scale, uint8_t row,
                             uint8_t attribute) {
    const CellPainter painter(format, scale);
    std::vector<uint8_t> bytes(painter.row_bytes() + 1, 0xEE);
    painter.paint(bytes.data(), row, attribute);
    EXPECT_EQ(bytes.back(), 0xEE) << "wrote too far";
    bytes.pop_back();
    return bytes;
}

BootFramebuffer format(uint8_t bits, uint8_t red, uint8_t green, uint8_t blue) {
    BootFramebuffer f;
    f.bits = bits;
    f.red = red;
    f.green = green;
    f.blue = blue;
    return f;
}

TEST(CellPainter, LeftmostPixelIsTheHighestBit) {
    // Brown (AA5500) on blue (0000AA), blue in the lowest byte.
    const auto bytes = painted(format(32, 16, 8, 0), 1, 0x81, 0x16);
    ASSERT_EQ(bytes.size(), 32u);
    for (uint32_t x = 0; x < 8; ++x) {
        const bool set = x == 0 || x == 7;
        EXPECT_EQ(bytes[4 * x], set ? 0x00 : 0xAA);
        EXPECT_EQ(bytes[4 * x + 1], set ? 0x55 : 0x00);
        EXPECT_EQ(bytes[4 * x + 2], set ? 0xAA : 0x00);
        EXPECT_EQ(bytes[4 * x + 3], 0);
    }
}

TEST(CellPainter, ThreeBytesAPixelAndAnotherOrder) {
    const auto bytes =
        painted(format(24, 0, 8, 16), 1, 0x40, 0x0E);  // bright yellow (FFFF55) on black
    ASSERT_EQ(bytes.size(), 24u);
    for (uint32_t i = 0; i < 24; ++i) {
        const uint8_t expected[] = {0xFF, 0xFF, 0x55};
        EXPECT_EQ(bytes[i], i / 3 == 1 ? expected[i % 3] : 0) << i;
    }
}

TEST(CellPainter, ScaledAndWithoutBrightBackgrounds) {
    for (uint32_t scale = 1; scale <= CellPainter::kMostScale; ++scale) {
        const auto bytes =
            painted(format(32, 16, 8, 0), scale, 0xF0, 0xF0);  // black on grey, not on white
        ASSERT_EQ(bytes.size(), 32 * scale);
        for (uint32_t x = 0; x < 8 * scale; ++x)
            EXPECT_EQ(bytes[4 * x], x < 4 * scale ? 0x00 : 0xAA);
    }
}

}  // namespace
