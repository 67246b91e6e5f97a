// A terminal's screen as a value: a grid of cells, a cursor, and the interpreter of the control
// codes and escape sequences that TERM=linux promises. Pure: bytes in, cells out; the part that shows it
// asks which rows changed.
// Invariant: the cursor is on the grid, and the scroll region has at least two rows.
// Locks: none; the owner's.
// Spec: ECMA-48 (5th edition) chapter 8; console_codes(4); DEC VT102 user guide, chapter 5.
#pragma once

#include <cstdint>
#include <span>

class TerminalScreen {
  public:
    static constexpr uint32_t kRows = 25, kColumns = 80;

    struct Cell {
        uint8_t character = ' ';   // in code page 437
        uint8_t attribute = 0x07;  // VGA: background << 4 | foreground
        constexpr uint16_t vga() const { return static_cast<uint16_t>(attribute << 8 | character); }
        constexpr bool operator==(const Cell&) const = default;
    };

    constexpr TerminalScreen() {
        for (bool& changed : changed_) changed = true;
    }

    void write(std::span<const uint8_t> bytes);

    const Cell& cell(uint32_t row, uint32_t column) const { return cells_[row][column]; }
    uint32_t row() const { return row_; }
    uint32_t column() const { return column_; }
    bool cursor_visible() const { return cursor_visible_; }
    // Whether the row changed since the last time it was asked about.
    bool take_changed(uint32_t row) {
        bool changed = changed_[row];
        changed_[row] = false;
        return changed;
    }

    // Where answers to "where is the cursor" and "who are you" go.
    using Answer = void (*)(void* context, std::span<const uint8_t> bytes);
    void answer_to(Answer answer, void* context) {
        answer_ = answer;
        answer_context_ = context;
    }

  private:
    enum class State : uint8_t {
        ground,
        escape,         // after ESC
        escape_ignore,  // one more byte belongs to the sequence (ESC ( B and the like)
        control,        // after ESC [
        text,           // after ESC ], ESC P: a string that we skip
        text_escape,    // and in it an ESC, perhaps its end
    };
    static constexpr uint32_t kMaxParameters = 16;

    void put_byte(uint8_t byte);
    void put_control_code(uint8_t byte);
    void put_text_byte(uint8_t byte);
    void put_character(uint8_t character);
    void end_escape(uint8_t byte);
    void put_control_sequence_byte(uint8_t byte);
    void end_control_sequence(uint8_t final);
    void end_cursor_sequence(uint8_t final);
    void end_private_sequence(uint8_t final);
    void set_rendition();
    uint32_t set_wide_colour(uint32_t at);
    void update_attribute();
    void report(uint32_t what);
    void answer(const char* text);

    uint32_t parameter(uint32_t i, uint32_t fallback) const {
        return i < parameter_count_ && parameters_[i] ? parameters_[i] : fallback;
    }
    Cell blank() const { return {' ', attribute_}; }
    void move_to(uint32_t row, uint32_t column);
    void line_feed();
    void reverse_line_feed();
    void scroll_up(uint32_t top, uint32_t rows);    // lines leave at `top`
    void scroll_down(uint32_t top, uint32_t rows);  // lines leave at the region's bottom
    void clear(uint32_t row, uint32_t from, uint32_t to);
    void erase_in_display(uint32_t mode);
    void erase_in_line(uint32_t mode);
    void insert_cells(uint32_t count);
    void delete_cells(uint32_t count);
    void save_cursor();
    void restore_cursor();
    void reset();

    Cell cells_[kRows][kColumns]{};
    bool changed_[kRows]{};
    uint32_t row_ = 0, column_ = 0;
    uint32_t top_ = 0, bottom_ = kRows;  // the scroll region: [top, bottom)
    bool wrap_pending_ = false;          // the last column was written; the next character wraps
    bool auto_wrap_ = true, insert_mode_ = false, origin_mode_ = false, cursor_visible_ = true;

    uint8_t foreground_ = 7, background_ = 0;
    bool bold_ = false, reverse_ = false;
    uint8_t attribute_ = 0x07;

    struct Saved {
        uint32_t row = 0, column = 0;
        uint8_t foreground = 7, background = 0;
        bool bold = false, reverse = false, origin_mode = false;
    } saved_{};

    State state_ = State::ground;
    bool private_ = false;  // ESC [ ?
    bool ignored_ = false;  // a sequence with intermediates, which we don't know
    uint32_t parameters_[kMaxParameters]{};
    uint32_t parameter_count_ = 0;
    uint32_t code_point_ = 0;  // of the UTF-8 sequence under way
    uint32_t continuation_left_ = 0;

    Answer answer_ = nullptr;
    void* answer_context_ = nullptr;
};
