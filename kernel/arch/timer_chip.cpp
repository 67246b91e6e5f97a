// See timer_chip.hpp.
#include "kernel/arch/timer_chip.hpp"

#include "kernel/arch/interrupts.hpp"
#include "kernel/arch/io.hpp"
#include "kernel/arch/lapic.hpp"
#include "kernel/lib/log.hpp"
#include "kernel/lib/verify.hpp"

namespace {

constexpr uint32_t kPitHertz = 1193182;
constexpr uint16_t kPitChannel0 = 0x40, kPitCommand = 0x43;
constexpr uint8_t kOneShot = 0x30,
                  kLatch = 0x00;              // channel 0, both bytes, mode 0; its count to be read
constexpr uint32_t kCount = kPitHertz / 200;  // a window of nearly 5 ms
constexpr uint32_t kSecondHertz = 3579545;    // of ACPI's timer
constexpr uint32_t kSecondMost = kSecondHertz / 100;
constexpr uint32_t kFewestWindows = 2, kMostWindows = 20, kSmallDoubt = 20;  // a fifth of a percent
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
    uint32_t tsc_kilohertz = 0, lapic_kilohertz = 0;
    uint32_t doubt = 0;       // how far off it may be, in ten-thousandths
    uint32_t difference = 0;  // between the PIT and ACPI's timer; part of the doubt
    bool pit = false;         // it counts
};

uint32_t per_ten_thousand(uint64_t part, uint64_t whole) {
    return static_cast<uint32_t>(whole ? part * 10'000 / whole : UINT32_MAX);
}

// From now until the PIT has counted so far, or, should it stand still, ACPI's timer twice as long. All
// zeros: neither counts.
Window measure(uint16_t second_clock) {
    const Moment start = read_clocks(second_clock);
    Moment end = start;
    uint64_t counts = 0;  // of the PIT, down
    uint32_t second = 0;  // 24 bits of it count
    for (uint32_t tries = 0; counts < kCount && second < kSecondMost; ++tries) {
        if (tries == kMostReads) return {};
        end = read_clocks(second_clock);
        counts = (start.pit - end.pit) & 0xffff;
        second = (end.second - start.second) & 0xffffff;
    }
    const uint64_t cycles = end.tsc - start.tsc;
    Window window{.doubt = per_ten_thousand(uint64_t{start.gap} + end.gap, cycles),
                  .pit = counts != 0};
    if (second) {
        // On a busy host the PIT's 16 bits may have gone round meanwhile: the second clock tells how often.
        const uint64_t by_second = uint64_t{second} * kPitHertz / kSecondHertz;
        const auto difference = static_cast<int16_t>(window.pit ? by_second - counts : 0);
        counts = by_second - difference;
        window.difference = per_ten_thousand(difference < 0 ? -difference : difference, counts);
        window.doubt += window.difference;
    }
    const auto kilohertz = [&](uint64_t n) {
        return static_cast<uint32_t>(n * kPitHertz / (counts * 1000));
    };
    window.tsc_kilohertz = kilohertz(cycles);
    window.lapic_kilohertz = kilohertz(start.lapic - end.lapic);
    return window;
}

// What is wrong with the clocks, or with all windows, by name.
void report(const Window& best, uint32_t windows, uint16_t second_clock) {
    if (!best.tsc_kilohertz) return;  // our caller says so
    if (!best.pit)
        log_warning("clock: the PIT stands still; the TSC is measured by ACPI's timer alone");
    if (best.pit && !second_clock)
        log_info("clock: no ACPI timer; the TSC is measured by the PIT alone");
    if (best.doubt < kSmallDoubt) return;
    if (best.difference * 2 > best.doubt)
        log_warning(
            "clock: the PIT and ACPI's timer disagree: {}.{:02} % in the best of {} windows",
            best.difference / 100, best.difference % 100, windows);
    else
        log_warning("clock: each of {} windows was disturbed; the TSC's rate may be {}.{:02} % off",
                    windows, best.doubt / 100, best.doubt % 100);
}

}  // namespace

uint32_t timer_calibrate(uint16_t second_clock) {
    out8(kPitCommand, kOneShot);
    out8(kPitChannel0, 0xff);
    out8(kPitChannel0, 0xff);
    if (lapic_in_use()) lapic_timer_start(UINT32_MAX);
    Window best{};
    uint32_t windows = 0;
    while (windows < kMostWindows && (windows < kFewestWindows || best.doubt >= kSmallDoubt)) {
        const Window window = measure(second_clock);
        if (!window.tsc_kilohertz) break;
        if (!windows++ || window.doubt < best.doubt) best = window;
    }
    report(best, windows, second_clock);
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
