// See terminal_screen.hpp. The grid and its changes; escape sequences are in terminal_sequences.cpp.
#include "drivers/terminal_screen.hpp"

#include <algorithm>

#include "drivers/code_page_437.hpp"

// The grid: characters, cursor, scrolling, erasing. Sequences are in terminal_sequences.cpp.

void TerminalScreen::write(std::span<const uint8_t> bytes) {
    for (uint8_t byte : bytes) put_byte(byte);
}

void TerminalScreen::put_control_code(uint8_t byte) {
    switch (byte) {
        case '\b':
            if (column_ > 0) --column_;
            wrap_pending_ = false;
            break;
        case '\t': move_to(row_, std::min((column_ / 8 + 1) * 8, kColumns - 1)); break;
        case '\n':
        case '\v':
        case '\f': line_feed(); break;
        case '\r': move_to(row_, 0); break;
    }
}

void TerminalScreen::put_text_byte(uint8_t byte) {
    if (continuation_left_ && (byte & 0xC0) == 0x80) {
        code_point_ = code_point_ << 6 | (byte & 0x3F);
        if (--continuation_left_ == 0) put_character(code_page_437(code_point_));
        return;
    }
    if (continuation_left_) put_character('?');  // cut short
    continuation_left_ = 0;
    if (byte < 0x80) {
        put_character(byte);
    } else if (byte >= 0xC2 && byte < 0xF5) {
        continuation_left_ = byte < 0xE0 ? 1 : byte < 0xF0 ? 2 : 3;
        code_point_ = byte & (0x3F >> continuation_left_);
    } else {
        put_character('?');
    }
}

void TerminalScreen::put_character(uint8_t character) {
    if (wrap_pending_ && auto_wrap_) {
        move_to(row_, 0);
        line_feed();
    }
    if (insert_mode_) insert_cells(1);
    cells_[row_][column_] = {character, attribute_};
    changed_[row_] = true;
    wrap_pending_ = column_ == kColumns - 1;
    if (!wrap_pending_) ++column_;
}

void TerminalScreen::move_to(uint32_t row, uint32_t column) {
    row_ = std::min(row, kRows - 1);
    column_ = std::min(column, kColumns - 1);
    wrap_pending_ = false;
}

void TerminalScreen::line_feed() {
    wrap_pending_ = false;
    if (row_ + 1 == bottom_)
        scroll_up(top_, 1);
    else if (row_ + 1 < kRows)
        ++row_;
}

void TerminalScreen::reverse_line_feed() {
    wrap_pending_ = false;
    if (row_ == top_)
        scroll_down(top_, 1);
    else if (row_ > 0)
        --row_;
}

void TerminalScreen::scroll_up(uint32_t top, uint32_t rows) {
    rows = std::min(rows, bottom_ - top);
    for (uint32_t row = top; row + rows < bottom_; ++row) {
        std::copy(std::begin(cells_[row + rows]), std::end(cells_[row + rows]), cells_[row]);
        changed_[row] = true;
    }
    for (uint32_t row = bottom_ - rows; row < bottom_; ++row) clear(row, 0, kColumns);
}

void TerminalScreen::scroll_down(uint32_t top, uint32_t rows) {
    rows = std::min(rows, bottom_ - top);
    for (uint32_t row = bottom_; row-- > top + rows;) {
        std::copy(std::begin(cells_[row - rows]), std::end(cells_[row - rows]), cells_[row]);
        changed_[row] = true;
    }
    for (uint32_t row = top; row < top + rows; ++row) clear(row, 0, kColumns);
}

void TerminalScreen::clear(uint32_t row, uint32_t from, uint32_t to) {
    std::fill(&cells_[row][from], &cells_[row][0] + to, blank());
    changed_[row] = true;
}

// 0: from the cursor on, 1: up to it, 2 and 3: all.
void TerminalScreen::erase_in_display(uint32_t mode) {
    if (mode > 3) return;
    erase_in_line(std::min(mode, 2u));
    uint32_t first = mode == 0 ? row_ + 1 : 0;
    uint32_t end = mode == 1 ? row_ : kRows;
    for (uint32_t row = first; row < end; ++row) clear(row, 0, kColumns);
}

void TerminalScreen::erase_in_line(uint32_t mode) {
    if (mode == 0) clear(row_, column_, kColumns);
    if (mode == 1) clear(row_, 0, column_ + 1);
    if (mode == 2) clear(row_, 0, kColumns);
    wrap_pending_ = false;
}

void TerminalScreen::insert_cells(uint32_t count) {
    Cell* row = cells_[row_];
    count = std::min(count, kColumns - column_);
    std::copy_backward(row + column_, row + kColumns - count, row + kColumns);
    clear(row_, column_, column_ + count);
    wrap_pending_ = false;
}

void TerminalScreen::delete_cells(uint32_t count) {
    Cell* row = cells_[row_];
    count = std::min(count, kColumns - column_);
    std::copy(row + column_ + count, row + kColumns, row + column_);
    clear(row_, kColumns - count, kColumns);
    wrap_pending_ = false;
}

void TerminalScreen::save_cursor() {
    saved_ = {row_, column_, foreground_, background_, bold_, reverse_, origin_mode_};
}

void TerminalScreen::restore_cursor() {
    foreground_ = saved_.foreground;
    background_ = saved_.background;
    bold_ = saved_.bold;
    reverse_ = saved_.reverse;
    origin_mode_ = saved_.origin_mode;
    update_attribute();
    move_to(saved_.row, saved_.column);
}

// In place: a fresh TerminalScreen on the way would be half a kernel stack.
void TerminalScreen::reset() {
    saved_ = {};
    restore_cursor();
    top_ = 0;
    bottom_ = kRows;
    auto_wrap_ = cursor_visible_ = true;
    insert_mode_ = false;
    erase_in_display(2);
}
