// See rtc.hpp. The clock may change while it is read: it is read until two readings agree.
#include "drivers/rtc.hpp"

#include "drivers/rtc_time.hpp"
#include "kernel/arch/interrupts.hpp"
#include "kernel/arch/io.hpp"
#include "kernel/lib/log.hpp"

namespace {

constexpr uint16_t kIndex = 0x70, kData = 0x71;
enum Register : uint8_t {
    kSeconds = 0x00,
    kMinutes = 0x02,
    kHours = 0x04,
    kDay = 0x07,
    kMonth = 0x08,
    kYear = 0x09,
    kStatusA = 0x0A,
    kStatusB = 0x0B,
    kCentury = 0x32,  // a convention of PCs; checked for sense
};
constexpr uint8_t kUpdateInProgress = 1 << 7;  // status A
constexpr uint32_t kMaxPolls = 20'000;         // an update takes 2 ms at most
constexpr uint32_t kMaxReadings = 10;

uint8_t read(Register r) {
    out8(kIndex, r);
    return in8(kData);
}

RtcRegisters read_all() {
    for (uint32_t i = 0; i < kMaxPolls && read(kStatusA) & kUpdateInProgress; ++i) {
    }
    return {read(kSeconds), read(kMinutes), read(kHours),   read(kDay),
            read(kMonth),   read(kYear),    read(kCentury), read(kStatusB)};
}

}  // namespace

Nanoseconds rtc_now() {
    InterruptsOff guard;
    // Twice the same: no update came in between.
    RtcRegisters before = read_all();
    for (uint32_t i = 0; i < kMaxReadings; ++i) {
        RtcRegisters now = read_all();
        if (now == before) break;
        before = now;
    }
    uint64_t seconds = unix_seconds(before);
    if (seconds == 0) log_warning("rtc: no sensible time; it is 1970");
    return Nanoseconds(seconds * 1'000'000'000);
}
