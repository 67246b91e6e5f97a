// The formatter's language, and numbers read back.
// sources: kernel/lib/format.cpp
#include "kernel/lib/format.hpp"

#include <gtest/gtest.h>

#include <string>

namespace {

template <typename... Args>
std::string formatted(std::string_view format, const Args&... args) {
    char buffer[200];
    return std::string(format_in(buffer, format, args...));
}

TEST(Format, Integers) {
    EXPECT_EQ(formatted("{} {} {}", 0, -1, 4294967295u), "0 -1 4294967295");
    EXPECT_EQ(formatted("{}", INT64_MIN), "-9223372036854775808");
    EXPECT_EQ(formatted("{}", UINT64_MAX), "18446744073709551615");
    EXPECT_EQ(formatted("{:x} {:X} {:o}", 0xbeefu, 0xbeefu, 0755), "beef BEEF 755");
    EXPECT_EQ(formatted("{:08x}", 0x1234u), "00001234");
    EXPECT_EQ(formatted("{}", uint64_t(4294967296)), "4294967296");
    EXPECT_EQ(formatted("{}", uint64_t(10000000000000000000u)), "10000000000000000000");
}

TEST(Format, WidthAndAlignment) {
    EXPECT_EQ(formatted("[{:5}]", 42), "[   42]");
    EXPECT_EQ(formatted("[{:<5}]", 42), "[42   ]");
    EXPECT_EQ(formatted("[{:5}]", "ab"), "[ab   ]");
    EXPECT_EQ(formatted("[{:>5}]", "ab"), "[   ab]");
    EXPECT_EQ(formatted("[{:05}]", -42), "[-0042]");
    EXPECT_EQ(formatted("[{:2}]", 12345), "[12345]");
}

TEST(Format, TextAndTypes) {
    EXPECT_EQ(formatted("{} {} {}", 'x', true, std::string_view("sv")), "x true sv");
    EXPECT_EQ(formatted("{:c}", 65), "A");
    EXPECT_EQ(formatted("{:08x}", VirtAddr(0xc0000000)), "c0000000");
}

TEST(Format, BracesAndMistakes) {
    EXPECT_EQ(formatted("{{}} {}", 1), "{} 1");
    EXPECT_EQ(formatted("{} {}", 1), "1 {?}");
    EXPECT_EQ(formatted("{", 1), "{");
    EXPECT_EQ(formatted("a{}", ""), "a");
}

TEST(Format, FullBufferIsCountedNotOverrun) {
    char buffer[4] = {'#', '#', '#', '#'};
    BufferSink sink(std::span<char>(buffer, 3));
    format_to(sink, "{}", 123456);
    EXPECT_EQ(sink.view(), "123");
    EXPECT_EQ(sink.wanted(), 6u);
    EXPECT_EQ(buffer[3], '#');
}

TEST(ParseNumber, BasesAndRefusals) {
    uint64_t n = 0;
    EXPECT_TRUE(parse_number("42", n) && n == 42);
    EXPECT_TRUE(parse_number("0x2A", n) && n == 42);
    EXPECT_TRUE(parse_number("052", n) && n == 42);
    EXPECT_TRUE(parse_number("18446744073709551615", n) && n == UINT64_MAX);
    for (const char* bad : {"", "-1", "4x", "0x", "08", "18446744073709551616"})
        EXPECT_FALSE(parse_number(bad, n)) << bad;
}

}  // namespace
