// From scan codes to what a terminal of TERM=linux sends. Pure.
// US layout; the Alt key puts an escape before the character, as Meta, and chooses a screen with F1 to F4.
// Spec: IBM PS/2 Technical Reference, keyboard scan code set 1; console_codes(4), terminfo "linux".
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

class KeyboardDecoder {
  public:
    // One scan code; what the key sends, empty for none. Valid until the next call.
    std::string_view feed(uint8_t code);

    // Which screen, from 0, the last code asked for with Alt and a function key.
    std::optional<uint8_t> chosen_screen() const { return chosen_screen_; }
    bool caps_lock() const { return caps_lock_; }
    bool num_lock() const { return num_lock_; }

  private:
    std::string_view press(uint8_t key);
    std::string_view press_extended(uint8_t key);
    std::string_view press_keypad(uint8_t key);
    std::string_view character(char c);
    bool modifier(uint8_t key, bool extended, bool down);

    enum Side : uint8_t { kLeft = 1, kRight = 2 };
    uint8_t shift_ = 0, control_ = 0, alt_ = 0;  // sets of sides
    bool caps_lock_ = false, num_lock_ = false;
    bool extended_ = false;  // after E0
    uint8_t skip_ = 0;       // codes of the Pause key yet to come
    std::optional<uint8_t> chosen_screen_;
    char text_[2] = {};
};
