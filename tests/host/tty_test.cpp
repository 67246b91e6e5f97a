// sources: drivers/line_discipline.cpp drivers/line_editing.cpp
// The line discipline: mapping, editing, echo, signals, canonical and raw reads, output processing.
#include <gtest/gtest.h>

#include <string>

#include "drivers/line_discipline.hpp"

namespace {

using namespace termios;
using namespace std::string_literals;

class Wire final : public TextSink {
  public:
    void put(std::string_view text) override { text_ += text; }
    std::string take() { return std::exchange(text_, {}); }

  private:
    std::string text_;
};

class Discipline : public testing::Test {
  protected:
    // Types the bytes; returns the last signal.
    int type(std::string_view text) {
        int signal = 0;
        for (char c : text)
            if (int s = line_.receive(static_cast<uint8_t>(c), wire_)) signal = s;
        return signal;
    }
    std::string read(size_t most = 4096) {
        std::string bytes(most, '\0');
        bytes.resize(line_.read({reinterpret_cast<uint8_t*>(bytes.data()), most}));
        return bytes;
    }
    std::string write(std::string_view text) {
        line_.transmit({reinterpret_cast<const uint8_t*>(text.data()), text.size()}, wire_);
        return wire_.take();
    }
    void change(auto&& f) {
        Termios t = line_.settings();
        f(t);
        line_.set_settings(t);
    }
    void raw() {
        change([](Termios& t) {
            t.local &= ~(kCanonical | kSignals | kEcho | kExtended);
            t.input = t.output = 0;
        });
    }
    // What a terminal's line shows after these bytes.
    static std::string shown(std::string_view bytes) {
        std::string cells;
        size_t column = 0;
        for (char c : bytes) {
            if (c == '\b') {
                column -= column > 0;
            } else if (c == '\t') {
                column = (column / 8 + 1) * 8;
                if (cells.size() < column) cells.resize(column, ' ');
            } else {
                if (cells.size() <= column) cells.resize(column + 1, ' ');
                cells[column++] = c;
            }
        }
        return cells.substr(0, column) + "|" + cells.substr(column);
    }

    LineDiscipline line_;
    Wire wire_;
};

TEST_F(Discipline, LinesAreReadOneByOne) {
    EXPECT_FALSE(line_.readable(1));
    type("ls -l\r");
    EXPECT_TRUE(line_.readable(1));
    type("pwd\nca");
    EXPECT_EQ(wire_.take(), "ls -l\r\npwd\r\nca");
    EXPECT_EQ(line_.available(), 10u);
    EXPECT_EQ(read(), "ls -l\n");
    EXPECT_EQ(read(2), "pw");
    EXPECT_EQ(read(), "d\n");
    EXPECT_FALSE(line_.readable(1));
    type("t\n");
    EXPECT_EQ(read(), "cat\n");
}

TEST_F(Discipline, EndOfFile) {
    type("\x04");
    EXPECT_TRUE(line_.readable(1));
    EXPECT_EQ(line_.available(), 0u);
    EXPECT_EQ(read(), "");
    EXPECT_FALSE(line_.readable(1));
    type("abc\x04");
    EXPECT_EQ(read(), "abc");
    EXPECT_FALSE(line_.readable(1));
    type("abc\x04");
    EXPECT_EQ(read(3), "abc");
    EXPECT_FALSE(line_.readable(1));  // not a second end of file
    type("x\n\x04");
    EXPECT_EQ(read(2), "x\n");
    EXPECT_EQ(read(), "");
    EXPECT_EQ(wire_.take(), "abcabcx\r\n");
}

TEST_F(Discipline, OtherLineEnds) {
    change([](Termios& t) {
        t.characters[kEol] = ';';
        t.characters[kEol2] = '!';
    });
    type("a;b!c\n");
    EXPECT_EQ(read(), "a;");
    EXPECT_EQ(read(), "b!");
    EXPECT_EQ(read(), "c\n");
}

TEST_F(Discipline, EraseTakesBackOneCharacter) {
    type(
        "\x7F"
        "ab\x7F\x7F\x7F"
        "c\n");
    EXPECT_EQ(wire_.take(), "ab\b \b\b \bc\r\n");
    EXPECT_EQ(read(), "c\n");
    type("x\n\x7F");  // not over the end of a line
    EXPECT_EQ(read(), "x\n");
}

TEST_F(Discipline, EraseOfWhatIsWide) {
    type("a\x01\x7F");
    EXPECT_EQ(shown(wire_.take()), "a|  ");
    type("\x15\xC3\xA4\xE2\x82\xAC\x7F\x7F");
    wire_.take();
    type("z\n");
    EXPECT_EQ(read(), "z\n");
    wire_.take();
    type("ab\t\tc");
    type("\x7F\x7F");
    EXPECT_EQ(shown(wire_.take()), "ab      |         ");
    type("\x7F");
    EXPECT_EQ(wire_.take(), std::string(6, '\b'));
}

TEST_F(Discipline, EraseOfATabBehindAPrompt) {
    write("prompt> ");
    type("a\t");
    wire_.take();
    type("\x7F");
    EXPECT_EQ(wire_.take(), std::string(7, '\b'));
}

TEST_F(Discipline, EraseWithoutErasingEcho) {
    change([](Termios& t) {
        t.local &= ~(kEchoErase | kEchoControl);
        t.characters[kErase] = '#';
    });
    type("ab#c\n");
    EXPECT_EQ(wire_.take(), "ab#c\r\n");
    EXPECT_EQ(read(), "ac\n");
}

TEST_F(Discipline, WordErase) {
    type("one two_2  \x17");
    EXPECT_EQ(shown(wire_.take()), "one |       ");
    type("\x17\x17x\n");
    EXPECT_EQ(read(), "x\n");
}

TEST_F(Discipline, KillTakesBackTheLine) {
    type("first\nsecond\x15third\n");
    EXPECT_EQ(wire_.take().substr(0, 13), "first\r\nsecond");
    EXPECT_EQ(read(), "first\n");
    EXPECT_EQ(read(), "third\n");
    change([](Termios& t) { t.local &= ~kEchoKillErase; });
    wire_.take();
    type("ab\x15");
    EXPECT_EQ(wire_.take(), "ab^U\r\n");
    type("\n");
    EXPECT_EQ(read(), "\n");
}

TEST_F(Discipline, ReprintAndLiteralNext) {
    type("ab\x12");
    EXPECT_EQ(wire_.take(), "ab^R\r\nab");
    type("\x16\x03\x16\x7F\n");
    EXPECT_EQ(wire_.take(), "^\b^C^\b^?\r\n");
    EXPECT_EQ(read(), "ab\x03\x7F\n");
}

TEST_F(Discipline, Signals) {
    EXPECT_EQ(type("abc\x03"), LineDiscipline::kSignalInterrupt);
    EXPECT_EQ(wire_.take(), "abc^C");
    type("x\n");
    EXPECT_EQ(read(), "x\n");  // what was typed before is gone
    EXPECT_EQ(type("\x1C"), LineDiscipline::kSignalQuit);
    EXPECT_EQ(type("\x1A"), LineDiscipline::kSignalStop);
    change([](Termios& t) { t.local |= kNoFlush; });
    type("keep\n\x03");
    EXPECT_EQ(read(), "keep\n");
    change([](Termios& t) { t.local &= ~kSignals; });
    EXPECT_EQ(type("\x03\n"), 0);
    EXPECT_EQ(read(), "\x03\n");
    change([](Termios& t) {
        t.local |= kSignals;
        t.characters[kIntr] = kDisabled;
    });
    EXPECT_EQ(type("\0\x03\n"s), 0);
    EXPECT_EQ(read(), "\0\x03\n"s);
}

TEST_F(Discipline, InputMapping) {
    change([](Termios& t) { t.input |= kStrip; });
    type("\xE1\r");
    EXPECT_EQ(read(), "a\n");
    change([](Termios& t) { t.input = kIgnoreCr; });
    type("a\rb\n");
    EXPECT_EQ(read(), "ab\n");
    change([](Termios& t) { t.input = kNlToCr; });
    type("a\n");
    EXPECT_FALSE(line_.readable(1));
    type("\x04");
    EXPECT_EQ(read(), "a\r");
}

TEST_F(Discipline, Echo) {
    change([](Termios& t) { t.local &= ~kEcho; });
    type("secret\n");
    EXPECT_EQ(wire_.take(), "");
    change([](Termios& t) { t.local |= kEchoNl; });
    type("secret\n");
    EXPECT_EQ(wire_.take(), "\r\n");
    change([](Termios& t) {
        t.local |= kEcho;
        t.local &= ~kEchoControl;
    });
    type("\x01");
    EXPECT_EQ(wire_.take(), "\x01");
}

TEST_F(Discipline, RawMode) {
    raw();
    type("a\r\n\x03\x7F\x04");
    EXPECT_EQ(wire_.take(), "");
    EXPECT_TRUE(line_.readable(6));
    EXPECT_FALSE(line_.readable(7));
    EXPECT_EQ(read(2), "a\r");
    EXPECT_EQ(read(), "\n\x03\x7F\x04");
    EXPECT_FALSE(line_.readable(0));
}

TEST_F(Discipline, ChangingModeKeepsWhatIsThere) {
    type("half");
    raw();
    EXPECT_TRUE(line_.readable(4));
    change([](Termios& t) { t.local |= kCanonical; });
    EXPECT_TRUE(line_.readable(1));
    EXPECT_EQ(read(), "half");
    raw();
    change([](Termios& t) { t.local |= kCanonical; });
    EXPECT_FALSE(line_.readable(1));
}

TEST_F(Discipline, FullBuffer) {
    type(std::string(5000, 'x'));
    EXPECT_EQ(line_.available(), 0u);
    type("\n");
    std::string line = read(8192);
    EXPECT_EQ(line, std::string(4095, 'x') + "\n");
    raw();
    type(std::string(5000, 'y'));
    EXPECT_EQ(line_.available(), 4096u);
    EXPECT_EQ(read(8192), std::string(4096, 'y'));
    for (int i = 0; i < 10; ++i) {  // around the ring
        type(std::string(1000, static_cast<char>('a' + i)));
        EXPECT_EQ(read(), std::string(1000, static_cast<char>('a' + i)));
    }
}

TEST_F(Discipline, FlowControl) {
    type("\x13");
    EXPECT_TRUE(line_.output_stopped());
    type("\x11");
    EXPECT_FALSE(line_.output_stopped());
    type(
        "\x13"
        "a");
    EXPECT_TRUE(line_.output_stopped());
    change([](Termios& t) { t.input |= kStartByAny; });
    type("b\n");
    EXPECT_FALSE(line_.output_stopped());
    EXPECT_EQ(read(), "ab\n");
    type("\x13");
    change([](Termios& t) { t.input &= ~kStartStop; });
    EXPECT_FALSE(line_.output_stopped());
}

TEST_F(Discipline, RoomIsWhatIsNotLost) {
    constexpr uint32_t kAll = LineDiscipline::kCapacity;
    EXPECT_EQ(line_.room(), kAll);
    for (uint32_t i = 0; i < 2 * kAll; ++i) line_.receive('x', wire_);
    EXPECT_EQ(line_.room(), kAll);  // no line yet: the end of this one is cut, and nothing waits
    line_.receive('\n', wire_);
    EXPECT_EQ(line_.room(), 0u);
    EXPECT_EQ(read(kAll).size(), kAll);
    EXPECT_EQ(line_.room(), kAll);
    change([](Termios& t) { t.local &= ~kCanonical; });
    for (uint32_t i = 0; line_.room(); ++i) {
        ASSERT_EQ(line_.room(), kAll - i);
        line_.receive('x', wire_);
    }
    EXPECT_EQ(line_.available(), kAll);
    line_.reset();
    EXPECT_EQ(line_.available(), 0u);
}

TEST_F(Discipline, OutputProcessing) {
    EXPECT_EQ(write("a\nb\r\n"), "a\r\nb\r\r\n");
    change([](Termios& t) { t.output |= kExpandTabs; });
    EXPECT_EQ(write("ab\tc\t\n"), "ab      c       \r\n");
    EXPECT_EQ(write("\xC3\xA4\t\n"), "\xC3\xA4       \r\n");
    change([](Termios& t) { t.output = kProcessOutput | kOutCrToNl; });
    EXPECT_EQ(write("a\r"), "a\n");
    change([](Termios& t) { t.output = kProcessOutput | kNoCrAtStart | kNlReturns; });
    EXPECT_EQ(write("x\r\ry\n\r"), "x\ry\n");
    change([](Termios& t) { t.output = 0; });
    EXPECT_EQ(write("a\n\t"), "a\n\t");
}

TEST_F(Discipline, SurvivesNoise) {
    uint32_t seed = 7;
    auto next = [&] { return (seed = seed * 1664525 + 1013904223) >> 16; };
    for (int i = 0; i < 200000; ++i) {
        const char keys[] = "ab \t\n\r\x7F\x15\x17\x12\x16\x04\x03\xC3\xA4\x01";
        line_.receive(static_cast<uint8_t>(keys[next() % (sizeof keys - 1)]), wire_);
        if (next() % 64 == 0) read(next() % 20);
        if (next() % 512 == 0) change([&](Termios& t) { t.local ^= 1u << next() % 16; });
        if (next() % 999 == 0) line_.flush_input();
        ASSERT_LE(line_.available(), LineDiscipline::kCapacity);
        wire_.take();
    }
}

}  // namespace
