// A row of a character's pixels, as bytes of a framebuffer. Pure.
#pragma once

#include <cstdint>

#include "boot/boot_info.hpp"
#include "drivers/font.hpp"

class CellPainter {
  public:
    static constexpr uint32_t kMostScale = 4, kMostRowBytes = kGlyphWidth * kMostScale * 4;

    constexpr CellPainter() = default;
    constexpr CellPainter(const BootFramebuffer& format, uint32_t scale)
        : pixel_bytes_(format.bits / 8u), scale_(scale) {
        for (uint32_t i = 0; i < 16; ++i)
            pixels_[i] = (kColours[i] >> 16 & 0xFF) << format.red |
                         (kColours[i] >> 8 & 0xFF) << format.green |
                         (kColours[i] & 0xFF) << format.blue;
    }

    constexpr uint32_t row_bytes() const { return kGlyphWidth * scale_ * pixel_bytes_; }
    // row_bytes() of them. `attribute` is VGA's: background << 4 | foreground, without bright backgrounds.
    constexpr void paint(uint8_t* to, uint8_t glyph_row, uint8_t attribute) const {
        const uint32_t front = pixels_[attribute & 0xF], back = pixels_[attribute >> 4 & 7];
        for (uint32_t x = 0; x < kGlyphWidth * scale_; ++x) {
            const bool set = glyph_row << (x / scale_) & 0x80;
            const uint32_t pixel = set ? front : back;
            for (uint32_t i = 0; i < pixel_bytes_; ++i)
                *to++ = static_cast<uint8_t>(pixel >> 8 * i);
        }
    }

  private:
    // VGA's, as red << 16 | green << 8 | blue.
    static constexpr uint32_t kColours[16] = {
        0x000000, 0x0000AA, 0x00AA00, 0x00AAAA, 0xAA0000, 0xAA00AA, 0xAA5500, 0xAAAAAA,
        0x555555, 0x5555FF, 0x55FF55, 0x55FFFF, 0xFF5555, 0xFF55FF, 0xFFFF55, 0xFFFFFF};

    uint32_t pixel_bytes_ = 4, scale_ = 1;
    uint32_t pixels_[16] = {};
};
