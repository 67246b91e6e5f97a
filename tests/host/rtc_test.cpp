// sources: drivers/acpi_soft_off.cpp
// What the firmware's clock and power tables mean.
#include <gtest/gtest.h>

#include <vector>

#include "drivers/acpi.hpp"
#include "drivers/rtc_time.hpp"

namespace {

TEST(Rtc, BinaryCodedDecimal24Hours) {
    EXPECT_EQ(unix_seconds({0x59, 0x34, 0x17, 0x28, 0x02, 0x24, 0x20, kRtc24Hours}), 1709141699u);
    EXPECT_EQ(unix_seconds({0, 0, 0, 1, 1, 0x70, 0x19, kRtc24Hours}), 0u);
    EXPECT_EQ(unix_seconds({0, 0, 0, 0x29, 2, 0, 0x20, kRtc24Hours}), 951782400u);
}

TEST(Rtc, Binary12Hours) {
    EXPECT_EQ(unix_seconds({1, 2, kRtcAfternoon | 12, 31, 12, 99, 0, kRtcBinary}), 946641721u);
    EXPECT_EQ(unix_seconds({1, 2, 12, 31, 12, 99, 0, kRtcBinary}), 946641721u - 12 * 3600);
    EXPECT_EQ(unix_seconds({1, 2, kRtcAfternoon | 3, 31, 12, 99, 0, kRtcBinary}),
              946641721u + 3 * 3600);
}

TEST(Rtc, CenturyIsGuessedWhereItIsMissing) {
    RtcRegisters r{0, 0, 0, 1, 1, 0x26, 0xFF, kRtc24Hours};
    EXPECT_EQ(unix_seconds(r), 1767225600u);
    r.century = 0x20;
    EXPECT_EQ(unix_seconds(r), 1767225600u);
}

TEST(Rtc, NonsenseIsZero) {
    EXPECT_EQ(unix_seconds({0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}), 0u);
    EXPECT_EQ(unix_seconds({0, 0, 0, 1, 0x13, 0x26, 0x20, kRtc24Hours}), 0u);
}

TEST(Rtc, EveryDayFollowsTheOneBefore) {
    const uint32_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    uint32_t expected = 0;
    for (uint32_t year = 1970; year < 2110; ++year)
        for (uint32_t month = 1; month <= 12; ++month) {
            bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            for (uint32_t day = 1; day <= lengths[month - 1] + (leap && month == 2); ++day)
                ASSERT_EQ(days_since_1970(year, month, day), expected++);
        }
}

std::vector<uint8_t> aml(std::initializer_list<int> bytes) {
    std::vector<uint8_t> v;
    for (int b : bytes) v.push_back(static_cast<uint8_t>(b));
    return v;
}

TEST(SoftOff, PackagesInTheirVariants) {
    auto types = find_soft_off(aml({9, 8, '_', 'S', '5', '_', 0x12, 6, 4, 0x0A, 5, 0x0A, 3, 0, 0}));
    ASSERT_TRUE(types);
    EXPECT_EQ(types->a, 5);
    EXPECT_EQ(types->b, 3);
    types = find_soft_off(aml({8, '\\', '_', 'S', '5', '_', 0x12, 6, 4, 0, 1, 0, 0}));
    ASSERT_TRUE(types);
    EXPECT_EQ(types->a, 0);
    EXPECT_EQ(types->b, 1);
    types = find_soft_off(aml({8, '_', 'S', '5', '_', 0x12, 0x46, 0, 1, 0x0A, 7}));
    ASSERT_TRUE(types);
    EXPECT_EQ(types->a, 7);
    EXPECT_EQ(types->b, 7);
}

TEST(SoftOff, OtherUsesOfTheNameAndCutTables) {
    EXPECT_FALSE(find_soft_off({}));
    EXPECT_FALSE(find_soft_off(aml({1, '_', 'S', '5', '_', 0x12, 6, 4, 0, 1})));
    EXPECT_FALSE(find_soft_off(aml({8, '_', 'S', '5', '_', 0x0B, 6, 4, 0, 1})));
    EXPECT_FALSE(find_soft_off(aml({8, '_', 'S', '5', '_', 0x12, 6, 4, 0x0A, 9})));
    auto whole = aml({8, '_', 'S', '5', '_', 0x12, 6, 4, 0x0A});
    for (size_t n = 0; n <= whole.size(); ++n)
        EXPECT_FALSE(find_soft_off(std::span(whole).first(n)));
}

TEST(Acpi, Checksum) {
    EXPECT_TRUE(acpi_checksum_ok({}));
    EXPECT_TRUE(acpi_checksum_ok(aml({1, 2, 0xFD})));
    EXPECT_FALSE(acpi_checksum_ok(aml({1, 2, 3})));
}

}  // namespace
