// See vga.hpp. What is on the card is remembered, so that only cells that changed are written.
#include "drivers/vga.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include "kernel/arch/io.hpp"
#include "kernel/arch/memory_layout.hpp"
#include "kernel/lib/atomic.hpp"

namespace {

constexpr PhysAddr kTextMemory{0xB8000};
constexpr uint16_t kCrtIndex = 0x3D4, kCrtData = 0x3D5;
constexpr uint16_t kMiscOutputRead = 0x3CC;
constexpr uint8_t kColourAddresses = 1 << 0;  // misc output: CRT controller at 0x3Dx
enum CrtRegister : uint8_t {
    kCursorStart = 0x0A,  // bit 5 hides the cursor
    kCursorEnd = 0x0B,
    kStartHigh = 0x0C,
    kStartLow = 0x0D,
    kCursorHigh = 0x0E,
    kCursorLow = 0x0F,
};
constexpr uint8_t kCursorHidden = 1 << 5;
constexpr uint16_t kNoCursor = 0xFFFF;

constexpr uint32_t kMaxAnswers = 32;

struct Screen {
    TerminalScreen terminal;
    uint8_t answers[kMaxAnswers] = {};
    uint32_t answer_bytes = 0;
};

struct Display {
    bool present = false;
    volatile uint16_t* memory = nullptr;  // null: drawn on a framebuffer
    uint16_t shown[TerminalScreen::kRows * TerminalScreen::kColumns] = {};
    uint16_t shown_cursor = kNoCursor;
    bool redraw = false;  // another screen than the one that `shown` was made of
};
constinit Display display;
constinit Screen first_screen;
constinit Screen* screens[kScreens] = {&first_screen};
constinit Atomic<uint32_t> shown_screen;

// Kept until a caller that holds no lock takes them; more than fit is lost.
void keep_answer(void* context, std::span<const uint8_t> bytes) {
    auto& screen = *static_cast<Screen*>(context);
    for (uint8_t byte : bytes)
        if (screen.answer_bytes < kMaxAnswers) screen.answers[screen.answer_bytes++] = byte;
}

void crt_write(CrtRegister index, uint8_t value) {
    out8(kCrtIndex, index);
    out8(kCrtData, value);
}

void show_cell(uint32_t at) {
    const uint16_t cell = display.shown[at];
    if (display.memory)
        display.memory[at] = cell;
    else
        framebuffer_draw(at / TerminalScreen::kColumns, at % TerminalScreen::kColumns, cell,
                         at == display.shown_cursor);
}

void show_cursor(uint16_t position) {
    const uint16_t before = std::exchange(display.shown_cursor, position);
    if (!display.memory) {
        for (const uint16_t at : {before, position})
            if (at != kNoCursor) show_cell(at);
        return;
    }
    if (position == kNoCursor) return crt_write(kCursorStart, kCursorHidden);
    crt_write(kCursorStart, 13);  // scan lines 13-14 of 16: an underline
    crt_write(kCursorEnd, 14);
    crt_write(kCursorHigh, position >> 8);
    crt_write(kCursorLow, position & 0xFF);
}

bool find_text_mode() {
    // A floating bus reads 0xFF; so the CRT controller must also keep what it is told.
    uint8_t misc = in8(kMiscOutputRead);
    if (misc == 0xFF || !(misc & kColourAddresses)) return false;
    crt_write(kCursorLow, 0x5A);
    if (in8(kCrtData) != 0x5A) return false;
    crt_write(kStartHigh, 0);
    crt_write(kStartLow, 0);
    display.memory = static_cast<volatile uint16_t*>(to_virtual(kTextMemory));
    for (uint32_t i = 0; i < std::size(display.shown); ++i) display.memory[i] = display.shown[i];
    return true;
}

}  // namespace

bool vga_init(const BootFramebuffer& framebuffer, PhysicalMapper map) {
    // With a framebuffer the card is in a graphics mode: its text memory is not shown.
    display.present = framebuffer.bits ? framebuffer_init(framebuffer, map) : find_text_mode();
    if (!display.present) return false;
    first_screen.terminal.answer_to(keep_answer, &first_screen);
    vga_refresh();
    return true;
}

bool vga_add_screen(uint32_t screen) {
    auto* added = new (std::nothrow) Screen;
    if (added) added->terminal.answer_to(keep_answer, added);
    screens[screen] = added;
    return added;
}

void vga_write(uint32_t screen, std::span<const uint8_t> bytes) {
    if (display.present) screens[screen]->terminal.write(bytes);
}

void vga_show(uint32_t screen) {
    if (!screens[screen]) return;
    shown_screen.store(screen);
    display.redraw = true;
}

uint32_t vga_shown() { return shown_screen.load(); }

void vga_refresh() {
    Display& d = display;
    if (!d.present) return;
    TerminalScreen& screen = screens[vga_shown()]->terminal;
    for (uint32_t row = 0; row < TerminalScreen::kRows; ++row) {
        if (!screen.take_changed(row) && !d.redraw) continue;
        for (uint32_t column = 0; column < TerminalScreen::kColumns; ++column) {
            uint16_t cell = screen.cell(row, column).vga();
            uint32_t at = row * TerminalScreen::kColumns + column;
            if (d.shown[at] == cell) continue;
            d.shown[at] = cell;
            show_cell(at);
        }
    }
    d.redraw = false;
    uint32_t at = screen.row() * TerminalScreen::kColumns + screen.column();
    uint16_t cursor = screen.cursor_visible() ? static_cast<uint16_t>(at) : kNoCursor;
    if (cursor != d.shown_cursor) show_cursor(cursor);
}

std::span<const uint8_t> vga_take_answers(uint32_t screen, std::span<uint8_t> to) {
    if (!screens[screen]) return {};
    uint32_t& kept = screens[screen]->answer_bytes;
    const auto count = static_cast<uint32_t>(std::min<size_t>(kept, to.size()));
    __builtin_memcpy(to.data(), screens[screen]->answers, count);
    kept = 0;
    return to.first(count);
}
