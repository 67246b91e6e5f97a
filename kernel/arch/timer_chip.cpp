// See timer_chip.hpp.
#include "kernel/arch/timer_chip.hpp"

#include "kernel/arch/interrupts.hpp"
#include "kernel/arch/io.hpp"
#include "kernel/arch/lapic.hpp"
#include "kernel/lib/verify.hpp"

namespace {

constexpr uint32_t kPitHertz = 1193182;
constexpr uint16_t kPitChannel0 = 0x40, kPitChannel2 = 0x42, kPitCommand = 0x43,
                   kSpeakerPort = 0x61;
constexpr uint8_t kOneShot = 0x30;            // channel 0, both bytes, mode 0
constexpr uint32_t kCount = kPitHertz / 100;  // nearly 10 ms

constinit uint64_t counts_per_nanosecond = (uint64_t{kPitHertz} << 32) / 1'000'000'000;  // << 32
using Handler = void (*)();
constinit Handler expired = nullptr;
constinit InterruptHandler pit_handler{"timer", [](void*) { expired(); }};

uint32_t kilohertz_of(uint32_t counts) {
    return static_cast<uint32_t>(uint64_t{counts} * kPitHertz / (uint64_t{kCount} * 1000));
}

}  // namespace

uint32_t timer_calibrate() {
    out8(kSpeakerPort, (in8(kSpeakerPort) & ~2u) | 1);  // gate on, speaker off
    out8(kPitCommand, 0xb0);                            // channel 2, both bytes, mode 0
    out8(kPitChannel2, kCount & 0xff);
    out8(kPitChannel2, kCount >> 8);
    if (lapic_in_use()) lapic_timer_start(UINT32_MAX);
    const uint64_t start = read_tsc();
    // A machine without the PIT's output pin must not hang here.
    for (uint32_t spins = 0; !(in8(kSpeakerPort) & 0x20) && spins < 100'000'000; ++spins) {
    }
    const auto cycles = static_cast<uint32_t>(read_tsc() - start);
    if (lapic_in_use()) {
        const uint32_t kilohertz = kilohertz_of(UINT32_MAX - lapic_timer_left());
        lapic_timer_start(0);
        counts_per_nanosecond = (uint64_t{kilohertz} << 32) / 1'000'000;
    }
    return cycles < 10'000 ? 0 : kilohertz_of(cycles);
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
