// See ioapic.hpp.
#include "kernel/arch/ioapic.hpp"

#include "kernel/arch/pic.hpp"

namespace {

constexpr uint32_t kSelect = 0, kWindow = 0x10 / 4;
constexpr uint32_t kVersion = 1, kTable = 0x10;
constexpr uint32_t kActiveLow = 1u << 13, kLevel = 1u << 15, kInputMasked = 1u << 16;
constexpr uint32_t kControllersMost = 8;

struct Controller {
    volatile uint32_t* registers;
    uint32_t first_gsi, inputs;

    void write(uint32_t which, uint32_t value) const {
        registers[kSelect] = which;
        registers[kWindow] = value;
    }
    uint32_t read(uint32_t which) const {
        registers[kSelect] = which;
        return registers[kWindow];
    }
};
constinit Controller controllers[kControllersMost] = {};
constinit uint32_t controller_count = 0;
constinit IoApicLine lines[kIrqLines] = {};

}  // namespace

void ioapic_add(volatile uint32_t* registers, uint32_t first_gsi) {
    if (controller_count == kControllersMost) return;
    Controller& fresh = controllers[controller_count++];
    fresh = {registers, first_gsi, 0};
    fresh.inputs = (fresh.read(kVersion) >> 16 & 0xff) + 1;
    for (uint32_t i = 0; i < fresh.inputs; ++i) fresh.write(kTable + 2 * i, kInputMasked);
}

void ioapic_set_line(uint32_t isa_line, const IoApicLine& where) { lines[isa_line] = where; }

void ioapic_unmask(uint32_t isa_line, uint32_t apic_id) {
    const IoApicLine& line = lines[isa_line];
    for (uint32_t i = 0; i < controller_count; ++i) {
        const Controller& c = controllers[i];
        if (line.gsi < c.first_gsi || line.gsi - c.first_gsi >= c.inputs) continue;
        const uint32_t entry = kTable + 2 * (line.gsi - c.first_gsi);
        c.write(entry + 1, apic_id << 24);
        c.write(entry, (kFirstIrqVector + isa_line) | (line.active_low ? kActiveLow : 0) |
                           (line.level ? kLevel : 0));
    }
}
