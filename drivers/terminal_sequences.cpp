// The part of TerminalScreen that reads escape and control sequences.
// Spec: ECMA-48 5.4 (control sequences), 8.3 (each function by its abbreviation); console_codes(4).
#include <algorithm>

#include "drivers/terminal_screen.hpp"
#include "kernel/lib/format.hpp"

namespace {

constexpr uint8_t kCancel = 0x18, kSubstitute = 0x1A, kEscape = 0x1B, kDelete = 0x7F, kBell = 0x07;
constexpr uint32_t kMaxParameter = 9999;
// VGA numbers its colours by blue, green, red; ECMA-48 by red, green, blue.
constexpr uint8_t kVgaColour[8] = {0, 4, 2, 6, 1, 5, 3, 7};

}  // namespace

void TerminalScreen::put_byte(uint8_t byte) {
    if (state_ == State::text || state_ == State::text_escape) {
        bool ends = byte == kBell || byte == kCancel || byte == kSubstitute ||
                    (state_ == State::text_escape && byte == '\\');
        state_ = ends ? State::ground : byte == kEscape ? State::text_escape : State::text;
        return;
    }
    if (byte == kEscape) {
        state_ = State::escape;
    } else if (byte == kCancel || byte == kSubstitute) {
        state_ = State::ground;
    } else if (byte < 0x20) {
        put_control_code(byte);  // these work in the middle of a sequence, too
    } else if (byte == kDelete) {
        return;  // padding
    } else if (state_ == State::ground) {
        put_text_byte(byte);
    } else if (state_ == State::escape) {
        end_escape(byte);
    } else if (state_ == State::escape_ignore) {
        state_ = State::ground;
    } else {
        put_control_sequence_byte(byte);
    }
}

void TerminalScreen::end_escape(uint8_t byte) {
    state_ = State::ground;
    continuation_left_ = 0;
    switch (byte) {
        case '[':
            state_ = State::control;
            private_ = ignored_ = false;
            parameter_count_ = 0;
            std::fill(std::begin(parameters_), std::end(parameters_), 0);
            break;
        case ']':
        case 'P':
        case '^':
        case '_': state_ = State::text; break;
        case '(':
        case ')':
        case '#':
        case '%':
        case ' ': state_ = State::escape_ignore; break;
        case '7': save_cursor(); break;
        case '8': restore_cursor(); break;
        case 'D': line_feed(); break;
        case 'E':
            move_to(row_, 0);
            line_feed();
            break;
        case 'M': reverse_line_feed(); break;
        case 'Z': report(0); break;
        case 'c': reset(); break;
    }
}

void TerminalScreen::put_control_sequence_byte(uint8_t byte) {
    if (byte >= '0' && byte <= '9') {
        if (parameter_count_ == 0) parameter_count_ = 1;
        uint32_t& value = parameters_[parameter_count_ - 1];
        value = std::min(value * 10 + (byte - '0'), kMaxParameter);
    } else if (byte == ';') {
        if (parameter_count_ == 0) parameter_count_ = 1;
        if (parameter_count_ == kMaxParameters)
            ignored_ = true;
        else
            ++parameter_count_;
    } else if (byte == '?') {
        private_ = true;
    } else if (byte < 0x40) {
        ignored_ = true;  // intermediate bytes, ':', and other makers' private sequences
    } else {
        state_ = State::ground;
        if (ignored_) return;
        if (private_)
            end_private_sequence(byte);
        else
            end_control_sequence(byte);
    }
}

void TerminalScreen::end_control_sequence(uint8_t final) {
    uint32_t count = parameter(0, 1);
    switch (final) {
        case '@': insert_cells(count); break;                // ICH
        case 'J': erase_in_display(parameter(0, 0)); break;  // ED
        case 'K': erase_in_line(parameter(0, 0)); break;     // EL
        case 'L':
            if (row_ >= top_ && row_ < bottom_) scroll_down(row_, count);
            break;  // IL
        case 'M':
            if (row_ >= top_ && row_ < bottom_) scroll_up(row_, count);
            break;                                                                   // DL
        case 'P': delete_cells(count); break;                                        // DCH
        case 'S': scroll_up(top_, count); break;                                     // SU
        case 'T': scroll_down(top_, count); break;                                   // SD
        case 'X': clear(row_, column_, std::min(column_ + count, kColumns)); break;  // ECH
        case 'c': report(0); break;                                                  // DA
        case 'h':
        case 'l':
            if (parameter(0, 0) == 4) insert_mode_ = final == 'h';
            break;                         // IRM
        case 'm': set_rendition(); break;  // SGR
        case 'n':
            if (parameter(0, 0)) report(parameter(0, 0));
            break;   // DSR
        case 'r': {  // DECSTBM
            uint32_t top = parameter(0, 1) - 1, bottom = std::min(parameter(1, kRows), kRows);
            if (top + 1 >= bottom) return;
            top_ = top;
            bottom_ = bottom;
            move_to(origin_mode_ ? top_ : 0, 0);
            break;
        }
        case 's': save_cursor(); break;
        case 'u': restore_cursor(); break;
        default: end_cursor_sequence(final);
    }
}

void TerminalScreen::end_cursor_sequence(uint8_t final) {
    uint32_t count = parameter(0, 1);
    // Up and down stop at the scroll region's edge if they start inside.
    uint32_t lowest = row_ >= top_ ? top_ : 0, end = row_ < bottom_ ? bottom_ : kRows;
    uint32_t up = row_ - std::min(count, row_ - lowest), down = std::min(row_ + count, end - 1);
    uint32_t origin = origin_mode_ ? top_ : 0, last = origin_mode_ ? bottom_ - 1 : kRows - 1;
    switch (final) {
        case 'A': move_to(up, column_); break;  // CUU
        case 'B':
        case 'e': move_to(down, column_); break;  // CUD, VPR
        case 'C':
        case 'a': move_to(row_, column_ + count); break;                     // CUF, HPR
        case 'D': move_to(row_, column_ - std::min(count, column_)); break;  // CUB
        case 'E': move_to(down, 0); break;                                   // CNL
        case 'F': move_to(up, 0); break;                                     // CPL
        case 'G':
        case '`': move_to(row_, count - 1); break;                              // CHA, HPA
        case 'd': move_to(std::min(origin + count - 1, last), column_); break;  // VPA
        case 'H':
        case 'f':  // CUP, HVP
            move_to(std::min(origin + count - 1, last), parameter(1, 1) - 1);
            break;
    }
}

void TerminalScreen::end_private_sequence(uint8_t final) {
    if (final != 'h' && final != 'l') return;
    bool on = final == 'h';
    for (uint32_t i = 0; i < parameter_count_; ++i) {
        switch (parameters_[i]) {
            case 6:  // DECOM
                origin_mode_ = on;
                move_to(on ? top_ : 0, 0);
                break;
            case 7: auto_wrap_ = on; break;        // DECAWM
            case 25: cursor_visible_ = on; break;  // DECTCEM
        }
    }
}

void TerminalScreen::set_rendition() {
    if (parameter_count_ == 0) parameter_count_ = 1;  // the same as 0
    for (uint32_t i = 0; i < parameter_count_; ++i) {
        uint32_t code = parameters_[i];
        if (code == 0)
            foreground_ = 7, background_ = 0, bold_ = reverse_ = false;
        else if (code == 1)
            bold_ = true;
        else if (code == 2 || code == 22)
            bold_ = false;
        else if (code == 7 || code == 27)
            reverse_ = code == 7;
        else if (code >= 30 && code <= 37)
            foreground_ = kVgaColour[code - 30];
        else if (code >= 40 && code <= 47)
            background_ = kVgaColour[code - 40];
        else if (code >= 90 && code <= 97)
            foreground_ = kVgaColour[code - 90] | 8;
        else if (code >= 100 && code <= 107)
            background_ = kVgaColour[code - 100];
        else if (code == 38 || code == 48)
            i += set_wide_colour(i);
        else if (code == 39)
            foreground_ = 7;
        else if (code == 49)
            background_ = 0;
    }
    update_attribute();
}

// 38;5;N and 38;2;R;G;B (48 for the background), as near as 8 or 16 colours come. Returns how many
// parameters it used beside its own.
uint32_t TerminalScreen::set_wide_colour(uint32_t at) {
    uint32_t kind = at + 1 < parameter_count_ ? parameters_[at + 1] : 0;
    uint32_t red, green, blue;
    if (kind == 2 && at + 4 < parameter_count_) {
        red = parameters_[at + 2], green = parameters_[at + 3], blue = parameters_[at + 4];
    } else if (kind == 5 && at + 2 < parameter_count_) {
        uint32_t n = std::min(parameters_[at + 2], 255u);
        if (n < 16) {
            red = n & 1 ? 255 : 0, green = n & 2 ? 255 : 0, blue = n & 4 ? 255 : 0;
        } else if (n < 232) {  // a cube of 6 x 6 x 6
            red = (n - 16) / 36 * 51, green = (n - 16) / 6 % 6 * 51, blue = (n - 16) % 6 * 51;
        } else {
            red = green = blue = (n - 232) * 10 + 8;
        }
    } else {
        return kind == 2 ? 4 : 2;
    }
    auto colour = static_cast<uint8_t>((red > 127) << 2 | (green > 127) << 1 | (blue > 127));
    (parameters_[at] == 38 ? foreground_ : background_) = colour;
    return kind == 2 ? 4 : 2;
}

void TerminalScreen::update_attribute() {
    uint8_t front = bold_ ? foreground_ | 8 : foreground_, back = background_;
    // Bit 7 of an attribute may mean blinking: the background has no bright colours.
    attribute_ =
        static_cast<uint8_t>(reverse_ ? (front & 7) << 4 | back | (front & 8) : back << 4 | front);
}

void TerminalScreen::report(uint32_t what) {
    if (what == 0) answer("\x1B[?6c");  // a VT102
    if (what == 5) answer("\x1B[0n");   // fine
    if (what != 6) return;
    char text[24];
    auto view = format_in({text, sizeof text - 1}, "\x1B[{};{}R",
                          row_ + 1 - (origin_mode_ ? top_ : 0), column_ + 1);
    text[view.size()] = '\0';
    answer(text);
}

void TerminalScreen::answer(const char* text) {
    if (answer_)
        answer_(answer_context_, {reinterpret_cast<const uint8_t*>(text), __builtin_strlen(text)});
}
