// The PC's characters (code page 437) as pixels, made at build time by scripts/font.py.
#pragma once

#include <cstdint>

constexpr uint32_t kGlyphWidth = 8, kGlyphHeight = 16;
// A byte a row, from the top; its highest bit is the leftmost pixel.
extern const uint8_t kFont[256][kGlyphHeight];
extern const bool kHasFont;  // false: the build found none, and all is blank
