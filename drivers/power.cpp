// See power.hpp. By ACPI where the tables say how, else by QEMU's port.
#include "drivers/power.hpp"

#include "drivers/acpi.hpp"
#include "drivers/vga.hpp"
#include "kernel/arch/interrupts.hpp"
#include "kernel/arch/io.hpp"
#include "kernel/lib/log.hpp"
#include "kernel/sched/clock.hpp"

namespace {

// FADT fields by their offsets. Spec: table 5-9.
constexpr size_t kSmiCommand = 48, kAcpiEnable = 52, kPm1aControl = 64, kPm1bControl = 68;
constexpr size_t kFadtBytes = 116;
// PM1 control. Spec: table 4-16.
constexpr uint16_t kSciEnabled = 1 << 0, kSleepEnable = 1 << 13;
constexpr uint32_t kSleepTypeShift = 10;
constexpr uint32_t kMaxPolls = 100'000;

struct SoftOff {
    uint16_t port_a = 0x604;  // QEMU's, where no table says otherwise
    uint16_t port_b = 0;
    SleepTypes types = {0, 0};
    uint16_t smi_port = 0;  // where to ask for ACPI mode, and how
    uint8_t enable = 0;
};
constinit SoftOff soft_off;

uint16_t port_at(std::span<const uint8_t> table, size_t at) {
    return static_cast<uint16_t>(table[at] | table[at + 1] << 8);
}

}  // namespace

void power_init() {
    auto fadt = acpi_table("FACP");
    auto types = find_soft_off(acpi_table("DSDT"));
    if (fadt.size() < kFadtBytes || !types || !port_at(fadt, kPm1aControl))
        return log_info("power: no soft-off in ACPI; trying QEMU's port");
    soft_off = {port_at(fadt, kPm1aControl), port_at(fadt, kPm1bControl), *types,
                port_at(fadt, kSmiCommand), fadt[kAcpiEnable]};
}

void (*before_power_off)() = nullptr;

void power_off() {
    disable_interrupts();
    if (before_power_off) before_power_off();
    // Said beforehand: whether words after the command come out depends on the host's speed.
    log_info("power: off");
    vga_refresh();
    if (soft_off.smi_port && soft_off.enable && !(in16(soft_off.port_a) & kSciEnabled)) {
        out8(soft_off.smi_port, soft_off.enable);
        for (uint32_t i = 0; i < kMaxPolls && !(in16(soft_off.port_a) & kSciEnabled); ++i) {
        }
    }
    auto command = [](uint8_t type) {
        return static_cast<uint16_t>(type << kSleepTypeShift | kSleepEnable);
    };
    out16(soft_off.port_a, command(soft_off.types.a));
    if (soft_off.port_b) out16(soft_off.port_b, command(soft_off.types.b));
    // It may take a moment.
    for (const Nanoseconds late = monotonic_now() + 2'000'000'000; monotonic_now() < late;) {
    }
    log_at(LogLevel::notice,
           "power: this machine stays on; all is written, and it may be switched off");
    halt();
}

void reboot() {
    constexpr uint16_t kKeyboardCommand = 0x64;
    constexpr uint8_t kInputFull = 1 << 1, kPulseReset = 0xFE;
    disable_interrupts();
    for (uint32_t i = 0; i < kMaxPolls && in8(kKeyboardCommand) & kInputFull; ++i) {
    }
    out8(kKeyboardCommand, kPulseReset);
    for (uint32_t i = 0; i < kMaxPolls; ++i) in8(0x80);
    // No interrupt table: the next interrupt is a triple fault, which resets the processor.
    struct [[gnu::packed]] {
        uint16_t limit = 0;
        uint32_t base = 0;
    } nothing;
    asm volatile("lidt %0; int3" ::"m"(nothing));
    halt();
}

void halt() {
    for (;;) {
        disable_interrupts();
        asm volatile("hlt");
    }
}
