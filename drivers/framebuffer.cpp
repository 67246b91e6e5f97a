// See framebuffer.hpp. A cell's rows are made in memory, and each is written in one go.
#include "drivers/framebuffer.hpp"

#include <algorithm>

#include "drivers/cell_painter.hpp"
#include "drivers/terminal_screen.hpp"
#include "kernel/lib/log.hpp"

namespace {

constexpr uint32_t kWidth = TerminalScreen::kColumns * kGlyphWidth,
                   kHeight = TerminalScreen::kRows * kGlyphHeight;
constexpr uint32_t kCursorFirst = 13, kCursorLast = 14;  // rows of the cell: an underline

constinit uint8_t* first_pixel = nullptr;  // of the first cell
constinit uint32_t pitch = 0, scale = 1;
constinit CellPainter painter;

}  // namespace

bool framebuffer_init(const BootFramebuffer& where, PhysicalMapper map) {
    if (!where.bits) return false;
    scale = std::min({where.width / kWidth, where.height / kHeight, CellPainter::kMostScale});
    if (!kHasFont || !scale || where.address + uint64_t{where.pitch} * where.height > UINT32_MAX) {
        log_warning("framebuffer: {}x{}, {} bits: not used ({})", where.width, where.height,
                    where.bits,
                    !kHasFont ? "no font in this build"
                    : !scale  ? "too small"
                              : "beyond 4 GiB");
        return false;
    }
    const uint32_t bytes = where.pitch * where.height;
    Result<void*> mapped = map(PhysAddr(static_cast<uint32_t>(where.address)), bytes);
    if (mapped.is_error()) {
        log_warning("framebuffer: no room to map {} KiB", bytes >> 10);
        return false;
    }
    auto* const start = static_cast<uint8_t*>(mapped.value());
    std::fill_n(start, bytes, uint8_t{0});
    pitch = where.pitch;
    painter = CellPainter(where, scale);
    first_pixel = start + (where.height - scale * kHeight) / 2 * pitch +
                  (where.width - scale * kWidth) / 2 * (where.bits / 8u);
    log_info("framebuffer: {}x{}, {} bits, characters of {}x{}", where.width, where.height,
             where.bits, kGlyphWidth * scale, kGlyphHeight * scale);
    return true;
}

void framebuffer_draw(uint32_t row, uint32_t column, uint16_t cell, bool cursor) {
    const uint32_t row_bytes = painter.row_bytes();
    uint8_t* to = first_pixel + row * kGlyphHeight * scale * pitch + column * row_bytes;
    for (uint32_t y = 0; y < kGlyphHeight; ++y) {
        const bool line = cursor && y >= kCursorFirst && y <= kCursorLast;
        alignas(4) uint8_t bytes[CellPainter::kMostRowBytes];
        painter.paint(bytes, line ? 0xFF : kFont[cell & 0xFF][y], static_cast<uint8_t>(cell >> 8));
        for (uint32_t i = 0; i < scale; ++i, to += pitch) __builtin_memcpy(to, bytes, row_bytes);
    }
}
