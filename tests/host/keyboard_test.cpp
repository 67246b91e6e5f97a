// sources: drivers/keyboard_decoder.cpp
// From scan codes to characters and escape sequences.
#include <gtest/gtest.h>

#include <string>

#include "drivers/keyboard_decoder.hpp"

namespace {

class Keyboard : public testing::Test {
  protected:
    std::string feed(std::initializer_list<int> codes) {
        std::string text;
        for (int code : codes) text += decoder_.feed(static_cast<uint8_t>(code));
        return text;
    }
    KeyboardDecoder decoder_;
};

constexpr int kShift = 0x2A, kControl = 0x1D, kAlt = 0x38, kCaps = 0x3A, kUp = 0x80;

TEST_F(Keyboard, PlainKeys) {
    EXPECT_EQ(feed({0x26, 0x26 | kUp, 0x1F, 0x1F | kUp, 0x1C}), "ls\r");
    EXPECT_EQ(feed({0x01, 0x0E, 0x0F, 0x39, 0x29, 0x2B, 0x28}), "\x1B\x7F\t `\\'");
}

TEST_F(Keyboard, ShiftAndCapsLock) {
    EXPECT_EQ(feed({kShift, 0x1E, 0x02, kShift | kUp, 0x1E, 0x02}), "A!a1");
    EXPECT_EQ(feed({kCaps, kCaps | kUp, 0x1E, 0x02, kShift, 0x1E, kShift | kUp}), "A1a");
    EXPECT_TRUE(decoder_.caps_lock());
    EXPECT_EQ(feed({kCaps, kCaps | kUp, 0x1E}), "a");
    EXPECT_EQ(feed({kShift, 0x36, kShift | kUp, 0x1E, 0x36 | kUp, 0x1E}), "Aa");
}

TEST_F(Keyboard, Control) {
    EXPECT_EQ(feed({kControl, 0x2E, 0x2C, 0x2B, 0x0E}), "\x03\x1A\x1C\b");
    EXPECT_EQ(feed({0x39}), std::string(1, '\0'));
    EXPECT_EQ(feed({kControl | kUp, 0xE0, kControl, 0x20, 0xE0, kControl | kUp, 0x20}),
              "\x04"
              "d");
    EXPECT_EQ(feed({kControl, kShift, 0x0C, 0x35}), "\x1F\x7F");
}

TEST_F(Keyboard, AltPutsAnEscapeBefore) {
    EXPECT_EQ(feed({kAlt, 0x30, kAlt | kUp, 0x30}),
              "\x1B"
              "bb");
}

TEST_F(Keyboard, CursorAndFunctionKeys) {
    EXPECT_EQ(feed({0xE0, 0x48, 0xE0, 0xC8, 0xE0, 0x50, 0xE0, 0x4B, 0xE0, 0x4D}),
              "\x1B[A\x1B[B\x1B[D\x1B[C");
    EXPECT_EQ(feed({0xE0, 0x47, 0xE0, 0x4F, 0xE0, 0x49, 0xE0, 0x51, 0xE0, 0x52, 0xE0, 0x53}),
              "\x1B[1~\x1B[4~\x1B[5~\x1B[6~\x1B[2~\x1B[3~");
    EXPECT_EQ(feed({0x3B, 0x3F, 0x40, 0x44, 0x57, 0x58}),
              "\x1B[[A\x1B[[E\x1B[17~\x1B[21~\x1B[23~\x1B[24~");
}

TEST_F(Keyboard, GreyKeysBringFakeShifts) {
    EXPECT_EQ(feed({0xE0, 0x2A, 0xE0, 0x48, 0x1E}), "\x1B[Aa");
    EXPECT_EQ(feed({kShift, 0xE0, kShift | kUp, 0xE0, 0x48, 0xE0, kShift, 0x1E}), "\x1B[AA");
}

TEST_F(Keyboard, Keypad) {
    EXPECT_EQ(feed({0x48, 0x4A, 0x4E, 0x37}), "\x1B[A-+*");
    EXPECT_EQ(feed({0x45, 0xC5, 0x48, 0x52, 0x53}), "80.");
    EXPECT_EQ(feed({0xE0, 0x35, 0xE0, 0x1C}), "/\r");
}

TEST_F(Keyboard, PauseAndUnknownCodesSendNothing) {
    EXPECT_EQ(feed({0xE1, 0x1D, 0x45, 0xE1, 0x9D, 0xC5, 0x1E}), "a");
    EXPECT_EQ(feed({0xE0, 0x5B, 0xE0, 0x5D, 0x54, 0x7F, 0x00, 0xE0, 0x4A}), "");
    for (int code = 0; code < 256; ++code) feed({0xE0, code, code});
}

TEST_F(Keyboard, AltAndAFunctionKeyChooseAScreen) {
    EXPECT_EQ(feed({kAlt, 0x3C}), "");
    EXPECT_EQ(decoder_.chosen_screen(), 1);
    EXPECT_EQ(feed({0x3C | kUp}), "");
    EXPECT_EQ(decoder_.chosen_screen(), std::nullopt);
    feed({0x3B});
    EXPECT_EQ(decoder_.chosen_screen(), 0);
    EXPECT_EQ(feed({0x3F}), "\x1B[[E");  // F5 is a key as before
    EXPECT_EQ(feed({kAlt | kUp, 0x3C}), "\x1B[[B");
    EXPECT_EQ(decoder_.chosen_screen(), std::nullopt);
}

}  // namespace
