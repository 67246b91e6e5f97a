// sources: drivers/terminal_screen.cpp drivers/terminal_sequences.cpp drivers/code_page_437.cpp kernel/lib/format.cpp
// The text screen's interpreter of control codes and escape sequences.
#include <gtest/gtest.h>

#include <string>

#include "drivers/terminal_screen.hpp"

namespace {

class Screen : public testing::Test {
  protected:
    void put(std::string_view text) {
        screen_.write({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
    }
    std::string line(uint32_t row) {
        std::string text;
        for (uint32_t c = 0; c < TerminalScreen::kColumns; ++c)
            text += static_cast<char>(screen_.cell(row, c).character);
        return text.substr(0, text.find_last_not_of(' ') + 1);
    }
    void expect_cursor(uint32_t row, uint32_t column) {
        EXPECT_EQ(screen_.row(), row);
        EXPECT_EQ(screen_.column(), column);
    }
    TerminalScreen screen_;
};

TEST_F(Screen, PlainTextAndControlCodes) {
    put("ab\tc\r\nd\be\n");
    EXPECT_EQ(line(0), "ab      c");
    EXPECT_EQ(line(1), "e");
    expect_cursor(2, 1);
}

TEST_F(Screen, WrapsOnlyBeforeTheNextCharacter) {
    put(std::string(80, 'x'));
    expect_cursor(0, 79);
    put("\r\n");
    expect_cursor(1, 0);
    put(std::string(80, 'y') + "z");
    EXPECT_EQ(line(2), "z");
    put("\x1B[?7l\x1B[1;79Habcd");
    EXPECT_EQ(line(0).substr(78), "ad");
}

TEST_F(Screen, ScrollsAtTheBottom) {
    for (int i = 0; i < 30; ++i) put("line " + std::to_string(i) + "\r\n");
    EXPECT_EQ(line(0), "line 6");
    EXPECT_EQ(line(23), "line 29");
    EXPECT_EQ(line(24), "");
}

TEST_F(Screen, CursorMovement) {
    put("\x1B[5;10H");
    expect_cursor(4, 9);
    put("\x1B[2A\x1B[3C");
    expect_cursor(2, 12);
    put("\x1B[B\x1B[D");
    expect_cursor(3, 11);
    put("\x1B[999;999H");
    expect_cursor(24, 79);
    put("\x1B[7d\x1B[4G");
    expect_cursor(6, 3);
    put("\x1B[H");
    expect_cursor(0, 0);
    put("\x1B[99A\x1B[99D");
    expect_cursor(0, 0);
    put("\x1B[3;3H\x1B"
        "7\x1B[20;20H\x1B"
        "8");
    expect_cursor(2, 2);
}

TEST_F(Screen, Erasing) {
    put("one\r\ntwo\r\nthree\x1B[2;2H\x1B[K");
    EXPECT_EQ(line(1), "t");
    put("\x1B[3;3H\x1B[1K");
    EXPECT_EQ(line(2), "   ee");
    put("\x1B[1J");
    EXPECT_EQ(line(0), "");
    put("\x1B[H\x1B[J");
    EXPECT_EQ(line(2), "");
    put("abcdef\x1B[3G\x1B[2X");
    EXPECT_EQ(line(0), "ab  ef");
    put("\x1B[2J");
    EXPECT_EQ(line(0), "");
    expect_cursor(0, 2);
}

TEST_F(Screen, InsertAndDelete) {
    put("abcdef\x1B[3G\x1B[2@");
    EXPECT_EQ(line(0), "ab  cdef");
    put("\x1B[3P");
    EXPECT_EQ(line(0), "abdef");
    put("\x1B[H\x1B[4hXY\x1B[4l");
    EXPECT_EQ(line(0), "XYabdef");
    put("\x1B[2J\x1B[H1\r\n2\r\n3\r\n4\x1B[2;1H\x1B[L");
    EXPECT_EQ(line(1), "");
    EXPECT_EQ(line(2), "2");
    put("\x1B[1;1H\x1B[2M");
    EXPECT_EQ(line(0), "2");
    EXPECT_EQ(line(2), "4");
    put("\x1B[999L\x1B[999M\x1B[999@\x1B[999P");
    EXPECT_EQ(line(0), "");
}

TEST_F(Screen, ScrollRegion) {
    put("1\r\n2\r\n3\r\n4\r\n5\x1B[2;4r");
    expect_cursor(0, 0);
    put("\x1B[4;1H\nx");
    EXPECT_EQ(line(0), "1");
    EXPECT_EQ(line(1), "3");
    EXPECT_EQ(line(2), "4");
    EXPECT_EQ(line(3), "x");
    EXPECT_EQ(line(4), "5");
    put("\x1B[2;1H\x1BMtop");
    EXPECT_EQ(line(1), "top");
    EXPECT_EQ(line(2), "3");
    EXPECT_EQ(line(4), "5");
    put("\x1B[25;1H\n\nend");
    EXPECT_EQ(line(24), "end");
    EXPECT_EQ(line(4), "5");
    put("\x1B[4;2r\x1B[0;99r");  // nonsense, then the whole screen
    put("\x1B[25;1H\n");
    EXPECT_EQ(line(23), "end");
}

TEST_F(Screen, Colours) {
    put("\x1B[31mr\x1B[1mR\x1B[44mB\x1B[7mI\x1B[0mn\x1B[97;40mw\x1B[38;5;196mx\x1B[48;2;0;0;255my");
    EXPECT_EQ(screen_.cell(0, 0).attribute, 0x04);
    EXPECT_EQ(screen_.cell(0, 1).attribute, 0x0C);
    EXPECT_EQ(screen_.cell(0, 2).attribute, 0x1C);
    EXPECT_EQ(screen_.cell(0, 3).attribute, 0x49);
    EXPECT_EQ(screen_.cell(0, 4).attribute, 0x07);
    EXPECT_EQ(screen_.cell(0, 5).attribute, 0x0F);
    EXPECT_EQ(screen_.cell(0, 6).attribute, 0x04);
    EXPECT_EQ(screen_.cell(0, 7).attribute, 0x14);
    put("\x1B[m\x1B[42m\x1B[K");
    EXPECT_EQ(screen_.cell(0, 70).attribute, 0x27);
}

TEST_F(Screen, Utf8BecomesCodePage437) {
    put("\xC3\xA4\xE2\x94\x80\xE2\x82\xAC\xFF\xC3z\xF0\x9F\x98\x80");
    const uint8_t expected[] = {0x84, 0xC4, '?', '?', '?', 'z', '?'};
    for (uint32_t i = 0; i < sizeof expected; ++i)
        EXPECT_EQ(screen_.cell(0, i).character, expected[i]) << i;
    expect_cursor(0, 7);
}

TEST_F(Screen, Answers) {
    std::string answers;
    screen_.answer_to(
        [](void* context, std::span<const uint8_t> bytes) {
            static_cast<std::string*>(context)->append(bytes.begin(), bytes.end());
        },
        &answers);
    put("\x1B[7;9H\x1B[6n\x1B[5n\x1B[c\x1B"
        "c\x1B[6n");
    EXPECT_EQ(answers, "\x1B[7;9R\x1B[0n\x1B[?6c\x1B[1;1R");
}

TEST_F(Screen, UnknownSequencesLeaveNoTrace) {
    put("\x1B(B\x1B]0;title\x07\x1B]2;x\x1B\\\x1B[?1049h\x1B[>c\x1B[1;2;3;4;5;6;7;8;9;10;11;12;13;"
        "14;"
        "15;16;17;18m\x1B[!p\x1B[\x18ok");
    EXPECT_EQ(line(0), "ok");
    put("\x1B[?25l");
    EXPECT_FALSE(screen_.cursor_visible());
}

TEST_F(Screen, ChangedRowsAreToldOnce) {
    for (uint32_t r = 0; r < TerminalScreen::kRows; ++r) screen_.take_changed(r);
    put("\x1B[3;1Hx");
    EXPECT_TRUE(screen_.take_changed(2));
    EXPECT_FALSE(screen_.take_changed(2));
    EXPECT_FALSE(screen_.take_changed(0));
}

// Any bytes: nothing leaves the grid (the sanitizers watch).
TEST_F(Screen, SurvivesNoise) {
    uint32_t seed = 1;
    const char alphabet[] =
        "\x1B\x1B[[[;0123456789?ABCDEFGHJKLMPSTX@rmhlsun`de\n\r\t\b78Mcab\xE2\x94";
    for (int i = 0; i < 400000; ++i) {
        seed = seed * 1664525 + 1013904223;
        char byte = alphabet[(seed >> 16) % (sizeof alphabet - 1)];
        put({&byte, 1});
        ASSERT_LT(screen_.row(), TerminalScreen::kRows);
        ASSERT_LT(screen_.column(), TerminalScreen::kColumns);
    }
}

}  // namespace
