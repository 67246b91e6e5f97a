// See keyboard_decoder.hpp. Tables from scan codes to characters, and what Shift, Ctrl and Alt do to them.
#include "drivers/keyboard_decoder.hpp"

namespace {

constexpr uint8_t kReleased = 0x80, kExtendedPrefix = 0xE0, kPausePrefix = 0xE1;
constexpr char kEscape = '\x1B', kBackspace = '\x7F';

// Keys 0x00-0x39; 0 where a key is no character.
constexpr char kPlain[] =
    "\0\x1B"
    "1234567890-=\x7F\tqwertyuiop[]\r\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 ";
constexpr char kShifted[] =
    "\0\x1B"
    "!@#$%^&*()_+\x7F\tQWERTYUIOP{}\r\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0*\0 ";
static_assert(sizeof kPlain == 0x3A + 1 && sizeof kShifted == sizeof kPlain);
static_assert(kPlain[0x1E] == 'a' && kPlain[0x2C] == 'z' && kShifted[0x35] == '?');

enum Key : uint8_t {
    kControl = 0x1D,
    kLeftShift = 0x2A,
    kRightShift = 0x36,
    kKeypadMultiply = 0x37,
    kAlt = 0x38,
    kCapsLock = 0x3A,
    kF1 = 0x3B,
    kF4 = 0x3E,
    kF10 = 0x44,
    kNumLock = 0x45,
    kKeypad7 = 0x47,
    kKeypadDelete = 0x53,
    k102nd = 0x56,
    kF11 = 0x57,
    kF12 = 0x58,
    kEnter = 0x1C,
    kSlash = 0x35,
};

constexpr std::string_view kFunction[12] = {
    "\x1B[[A",  "\x1B[[B",  "\x1B[[C",  "\x1B[[D",  "\x1B[[E",  "\x1B[17~",
    "\x1B[18~", "\x1B[19~", "\x1B[20~", "\x1B[21~", "\x1B[23~", "\x1B[24~",
};
// The keypad's keys from 0x47 on; the grey ones have the same codes behind E0.
constexpr std::string_view kNavigation[] = {
    "\x1B[1~", "\x1B[A",  "\x1B[5~", "-",       "\x1B[D",  "\x1B[G",  "\x1B[C",
    "+",       "\x1B[4~", "\x1B[B",  "\x1B[6~", "\x1B[2~", "\x1B[3~",
};
constexpr std::string_view kDigits = "789-456+1230.";

bool is_letter(char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }

}  // namespace

std::string_view KeyboardDecoder::feed(uint8_t code) {
    chosen_screen_.reset();
    if (skip_) {
        --skip_;
        return {};
    }
    if (code == kPausePrefix) {
        skip_ = 2;
        return {};
    }
    if (code == kExtendedPrefix) {
        extended_ = true;
        return {};
    }
    bool extended = extended_;
    extended_ = false;
    bool down = !(code & kReleased);
    uint8_t key = code & ~kReleased;
    if (modifier(key, extended, down) || !down) return {};
    return extended ? press_extended(key) : press(key);
}

bool KeyboardDecoder::modifier(uint8_t key, bool extended, bool down) {
    auto set = [down](uint8_t& sides, Side side) {
        sides = static_cast<uint8_t>(down ? sides | side : sides & ~side);
    };
    if (key == kControl)
        set(control_, extended ? kRight : kLeft);
    else if (key == kAlt)
        set(alt_, extended ? kRight : kLeft);
    // E0 2A and E0 36 are not shifts: the keyboard sends them around grey keys.
    else if (key == kLeftShift)
        extended ? void() : set(shift_, kLeft);
    else if (key == kRightShift)
        extended ? void() : set(shift_, kRight);
    else if (key == kCapsLock)
        caps_lock_ ^= down;
    else if (key == kNumLock && !extended)
        num_lock_ ^= down;
    else
        return false;
    return true;
}

std::string_view KeyboardDecoder::press(uint8_t key) {
    if (alt_ && key >= kF1 && key <= kF4) {
        chosen_screen_ = static_cast<uint8_t>(key - kF1);
        return {};
    }
    if (key >= kF1 && key <= kF10) return kFunction[key - kF1];
    if (key == kF11 || key == kF12) return kFunction[key - kF11 + 10];
    if (key >= kKeypad7 && key <= kKeypadDelete) return press_keypad(key);
    if (key == k102nd) return character(shift_ ? '>' : '<');
    if (key == kKeypadMultiply) return character('*');
    if (key >= sizeof kPlain - 1) return {};
    char c = kPlain[key];
    if (shift_ || (caps_lock_ && is_letter(c))) c = kShifted[key];
    if (shift_ && caps_lock_ && is_letter(c)) c = kPlain[key];
    return c ? character(c) : std::string_view{};
}

std::string_view KeyboardDecoder::press_extended(uint8_t key) {
    if (key == kEnter) return character('\r');
    if (key == kSlash) return character('/');
    if (key < kKeypad7 || key > kKeypadDelete) return {};
    std::string_view text = kNavigation[key - kKeypad7];
    return text.size() > 1 ? text : std::string_view{};
}

std::string_view KeyboardDecoder::press_keypad(uint8_t key) {
    if (num_lock_ != (shift_ != 0)) return character(kDigits[key - kKeypad7]);
    return kNavigation[key - kKeypad7];
}

std::string_view KeyboardDecoder::character(char c) {
    if (control_) {
        if (c == ' ' || c == '2')
            c = '\0';
        else if (c >= '3' && c <= '7')
            c = static_cast<char>(c - '3' + 0x1B);
        else if (c == '/')
            c = 0x1F;
        else if (c == '?' || c == '8')
            c = kBackspace;
        else if (c == kBackspace)
            c = '\b';
        else if (c >= '@' && c <= '~')
            c &= 0x1F;
    }
    text_[0] = alt_ ? kEscape : c;
    text_[1] = c;
    return {text_, alt_ ? 2u : 1u};
}
