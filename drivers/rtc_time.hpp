// From the clock chip's registers to seconds since 1970. Pure.
// Spec: Motorola MC146818A, "time, calendar and alarm locations"; register B.
#pragma once

#include <cstdint>

// The registers as read.
struct RtcRegisters {
    uint8_t seconds, minutes, hours, day, month, year, century;  // century 0: no such register
    uint8_t status_b;
    constexpr bool operator==(const RtcRegisters&) const = default;
};
constexpr uint8_t kRtc24Hours = 1 << 1, kRtcBinary = 1 << 2;  // in status B
constexpr uint8_t kRtcAfternoon = 0x80;                       // in the hours of a 12-hour clock

// Days since 1970-01-01 in the Gregorian calendar. Years are counted from March, so that the leap
// day is a year's last.
constexpr uint32_t days_since_1970(uint32_t year, uint32_t month, uint32_t day) {
    uint32_t y = month > 2 ? year : year - 1;
    uint32_t months_from_march = (month + 9) % 12;
    uint32_t day_of_year = (153 * months_from_march + 2) / 5 + day - 1;
    constexpr uint32_t kDaysTo1970 = 719468;  // from 0000-03-01
    return 365 * y + y / 4 - y / 100 + y / 400 + day_of_year - kDaysTo1970;
}
static_assert(days_since_1970(1970, 1, 1) == 0);
static_assert(days_since_1970(2000, 3, 1) == 11017);

// 0 if the registers make no sense.
constexpr uint64_t unix_seconds(const RtcRegisters& r) {
    auto number = [&](uint8_t raw) -> uint32_t {
        return r.status_b & kRtcBinary ? raw : (raw >> 4) * 10u + (raw & 15);
    };
    uint32_t hours = number(r.hours & 0x7F);
    if (!(r.status_b & kRtc24Hours)) hours = hours % 12 + (r.hours & kRtcAfternoon ? 12 : 0);
    uint32_t century = number(r.century), year = number(r.year);
    if (century < 19 || century > 30) century = year < 70 ? 20 : 19;
    year += century * 100;
    uint32_t month = number(r.month), day = number(r.day);
    uint32_t minutes = number(r.minutes), seconds = number(r.seconds);
    if (year < 1970 || month < 1 || month > 12 || day < 1 || day > 31 || hours > 23 ||
        minutes > 59 || seconds > 60)
        return 0;
    return uint64_t{days_since_1970(year, month, day)} * 86400 + hours * 3600 + minutes * 60 +
           seconds;
}
