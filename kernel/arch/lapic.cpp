// See lapic.hpp.
#include "kernel/arch/lapic.hpp"

#include "kernel/arch/interrupts.hpp"

namespace {

// Offsets in words. Spec: table 10-1.
constexpr uint32_t kId = 0x20 / 4, kTaskPriority = 0x80 / 4, kEndOfInterrupt = 0xb0 / 4,
                   kSpurious = 0xf0 / 4, kErrorStatus = 0x280 / 4, kCommandLow = 0x300 / 4,
                   kCommandHigh = 0x310 / 4, kTimer = 0x320 / 4, kLint0 = 0x350 / 4,
                   kError = 0x370 / 4, kInitialCount = 0x380 / 4, kCurrentCount = 0x390 / 4,
                   kDivide = 0x3e0 / 4;
constexpr uint32_t kEnable = 1u << 8, kMasked = 1u << 16, kDivideByOne = 0xb;
// The interrupt command. Spec: figure 10-12.
constexpr uint32_t kNmi = 4u << 8, kInit = 5u << 8, kStartup = 6u << 8, kPending = 1u << 12,
                   kAssert = 1u << 14, kAllOthers = 3u << 18;
constexpr uint32_t kMaxPolls = 1'000'000;

constinit volatile uint32_t* registers = nullptr;

void command(uint32_t apic_id, uint32_t what) {
    InterruptsOff off;  // the two halves belong together
    for (uint32_t i = 0; i < kMaxPolls && registers[kCommandLow] & kPending; ++i) {
    }
    registers[kCommandHigh] = apic_id << 24;
    registers[kCommandLow] = what;
}

}  // namespace

void lapic_use(volatile uint32_t* mapped) { registers = mapped; }
bool lapic_in_use() { return registers; }

void lapic_init_cpu() {
    registers[kSpurious] = kEnable | kVectorSpurious;
    registers[kLint0] = kMasked;  // the 8259's
    registers[kError] = kMasked;
    registers[kErrorStatus] = 0;
    registers[kDivide] = kDivideByOne;
    registers[kInitialCount] = 0;  // firmware may have left it counting
    registers[kTimer] = kVectorTimer;
    registers[kTaskPriority] = 0;
    lapic_end_of_interrupt();  // of what the firmware left
}

uint32_t lapic_id() { return registers[kId] >> 24; }
void lapic_end_of_interrupt() { registers[kEndOfInterrupt] = 0; }

void lapic_send(uint32_t apic_id, uint32_t vector) { command(apic_id, kAssert | vector); }
void lapic_send_nmi_to_others() {
    if (registers) command(0, kAllOthers | kAssert | kNmi);
}
void lapic_send_init(uint32_t apic_id) { command(apic_id, kAssert | kInit); }
void lapic_send_startup(uint32_t apic_id, uint32_t page) {
    command(apic_id, kAssert | kStartup | page);
}

void lapic_timer_start(uint32_t count) { registers[kInitialCount] = count; }
uint32_t lapic_timer_left() { return registers[kCurrentCount]; }
