// See timer_chip.hpp.
#include "kernel/arch/timer_chip.hpp"

#include "kernel/arch/interrupts.hpp"
#include "kernel/arch/io.hpp"
#include "kernel/arch/lapic.hpp"
#include "kernel/lib/verify.hpp"

namespace {

constexpr uint32_t kPitHertz = 1193182;
constexpr uint16_t kPitChannel0 = 0x40, kPitCommand = 0x43;
constexpr uint8_t kOneShot = 0x30,
                  kLatch = 0x00;              // channel 0, both bytes, mode 0; its count to be read
constexpr uint32_t kCount = kPitHertz / 200;  // a window of nearly 5 ms
constexpr uint32_t kSecondHertz = 3579545;    // of ACPI's timer
constexpr uint32_t kFewestWindows = 2, kMostWindows = 8, kSmallDoubt = 50;  // half a percent
constexpr uint32_t kMostReads = 1'000'000;

constinit uint64_t counts_per_nanosecond = (uint64_t{kPitHertz} << 32) / 1'000'000'000;  // << 32
using Handler = void (*)();
constinit Handler expired = nullptr;
constinit InterruptHandler pit_handler{"timer", [](void*) { expired(); }};

// All clocks at one moment. The TSC is read before and after the others: an interruption between
// them, by the host say, shows as a gap.
struct Moment {
    uint64_t tsc;
    uint32_t gap, pit, second, lapic;
};

Moment read_clocks(uint16_t second_clock) {
    Moment now{};
    now.tsc = read_tsc();
    out8(kPitCommand, kLatch);
    now.pit = in8(kPitChannel0);
    now.pit |= in8(kPitChannel0) << 8;
    now.second = second_clock ? in32(second_clock) : 0;
    if (lapic_in_use()) now.lapic = lapic_timer_left();
    now.gap = static_cast<uint32_t>(read_tsc() - now.tsc);
    return now;
}

struct Window {
    uint32_t tsc_kilohertz, lapic_kilohertz;
    uint32_t doubt;  // how far off it may be, in ten-thousandths
};

uint32_t per_ten_thousand(uint64_t part, uint64_t whole) {
    return static_cast<uint32_t>(whole ? part * 10'000 / whole : UINT32_MAX);
}

Window measure(uint16_t second_clock) {
    const Moment start = read_clocks(second_clock);
    Moment end = start;
    // The PIT counts down. Without one nothing changes, and this must not hang.
    for (uint32_t tries = 0; ((start.pit - end.pit) & 0xffff) < kCount; ++tries) {
        if (tries == kMostReads) return {};
        end = read_clocks(second_clock);
    }
    uint64_t counts = (start.pit - end.pit) & 0xffff;
    const uint64_t cycles = end.tsc - start.tsc;
    uint32_t doubt = per_ten_thousand(uint64_t{start.gap} + end.gap, cycles);
    const uint32_t second = (end.second - start.second) & 0xffffff;  // 24 bits of it count
    if (second) {
        // On a busy host the PIT's 16 bits may have gone round meanwhile: the second clock tells how often.
        const uint64_t by_second = uint64_t{second} * kPitHertz / kSecondHertz;
        const auto difference = static_cast<int16_t>(by_second - counts);
        counts = by_second - difference;
        doubt += per_ten_thousand(difference < 0 ? -difference : difference, counts);
    }
    const auto kilohertz = [&](uint64_t n) {
        return static_cast<uint32_t>(n * kPitHertz / (counts * 1000));
    };
    return {kilohertz(cycles), kilohertz(start.lapic - end.lapic), doubt};
}

}  // namespace

uint32_t timer_calibrate(uint16_t second_clock) {
    out8(kPitCommand, kOneShot);
    out8(kPitChannel0, 0xff);
    out8(kPitChannel0, 0xff);
    if (lapic_in_use()) lapic_timer_start(UINT32_MAX);
    Window best{};
    for (uint32_t i = 0; i < kMostWindows; ++i) {
        const Window window = measure(second_clock);
        if (!window.tsc_kilohertz) break;
        if (!best.tsc_kilohertz || window.doubt < best.doubt) best = window;
        if (i + 1 >= kFewestWindows && best.doubt < kSmallDoubt) break;
    }
    if (lapic_in_use()) {
        lapic_timer_start(0);
        counts_per_nanosecond = (uint64_t{best.lapic_kilohertz} << 32) / 1'000'000;
    }
    return best.tsc_kilohertz;
}

void timer_install(void (*handle)()) {
    expired = handle;
    if (lapic_in_use()) return set_local_handler(kVectorTimer, handle);
    out8(kPitCommand, kOneShot);
    VERIFY(attach_interrupt(0, pit_handler).is_ok());
}

void timer_program(uint32_t nanoseconds) {
    const auto count = static_cast<uint32_t>((nanoseconds * counts_per_nanosecond) >> 32) + 1;
    if (lapic_in_use()) return lapic_timer_start(count);
    // A new count starts the one-shot again; no control word is needed for that.
    out8(kPitChannel0, count & 0xff);
    out8(kPitChannel0, count >> 8);
}
