// What a terminal says of its size, among what is typed.
#include "drivers/size_report.hpp"

#include <gtest/gtest.h>

#include <string>

namespace {

class Size : public testing::Test {
  protected:
    // One burst of the line.
    void burst(std::string_view text) {
        report_.take(
            {reinterpret_cast<const uint8_t*>(text.data()), text.size()},
            [this](std::span<const uint8_t> bytes) { typed_.append(bytes.begin(), bytes.end()); },
            [this](uint32_t rows, uint32_t columns) {
                sizes_ += std::to_string(rows) + "x" + std::to_string(columns) + " ";
            });
    }
    SizeReport report_;
    std::string typed_, sizes_;
};

TEST_F(Size, AmongOtherText) {
    burst("ls\r\x1B[8;40;120tpwd\x1B[8;1;2t\x1B[8;1000;1000t");
    EXPECT_EQ(sizes_, "40x120 1x2 1000x1000 ");
    EXPECT_EQ(typed_, "ls\rpwd");
}

TEST_F(Size, InPieces) {
    const std::string_view text = "a\x1B[8;50;132tb";
    for (size_t cut = 5; cut < text.size(); ++cut) {  // once four bytes are there
        typed_.clear();
        sizes_.clear();
        burst(text.substr(0, cut));
        burst(text.substr(cut));
        EXPECT_EQ(typed_, "ab");
        EXPECT_EQ(sizes_, "50x132 ");
    }
}

TEST_F(Size, KeysDoNotWait) {
    for (const char* key :
         {"\x1B", "\x1B[", "\x1B[8", "\x1B[A", "\x1B[18~", "\x1B\x1B[", "\x1Bx"}) {
        typed_.clear();
        burst(key);
        EXPECT_EQ(typed_, key);
    }
    EXPECT_EQ(sizes_, "");
}

TEST_F(Size, WhatIsNoSizeIsTyped) {
    for (const char* text :
         {"\x1B[8;0;80t", "\x1B[8;25;0t", "\x1B[8;25t", "\x1B[8;25;1001t", "\x1B[8;1;2;3t",
          "\x1B[8;;80t", "\x1B[8;25;80x", "\x1B[8;00000000000001;1t"}) {
        typed_.clear();
        burst(text);
        burst("!");
        EXPECT_EQ(typed_, std::string(text) + "!");
    }
    burst("\x1B[8;\x1B[8;2;3t");
    EXPECT_EQ(sizes_, "2x3 ");
}

}  // namespace
