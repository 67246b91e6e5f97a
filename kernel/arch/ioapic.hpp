// I/O APICs: where device lines arrive when the 8259s are switched off. All lines go to the boot
// processor, on the vectors that they had with the 8259s.
// Locks: lines are routed under interrupt_table.
// Spec: Intel 82093AA data sheet, 3.1 (IOREGSEL, IOWIN), 3.2.4 (redirection table).
#pragma once

#include <cstdint>

struct IoApicLine {
    uint32_t gsi;
    bool active_low, level;
};

// One controller, whose first input is this global system interrupt. All inputs are masked.
void ioapic_add(volatile uint32_t* registers, uint32_t first_gsi);
void ioapic_set_line(uint32_t isa_line, const IoApicLine& where);
void ioapic_unmask(uint32_t isa_line, uint32_t apic_id);
