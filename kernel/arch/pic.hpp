// The two 8259 interrupt controllers, lines 0-15 on vectors 0x20-0x2f.
// Spec: Intel 8259A data sheet (ICW1-ICW4, OCW1-OCW3).
// Locks: masks are changed with interrupts off, under interrupt_table.
#pragma once

#include <cstdint>

constexpr uint32_t kFirstIrqVector = 0x20;
constexpr uint32_t kIrqLines = 16;

void pic_init();
void pic_mask_all();  // the I/O APIC takes over
void pic_unmask(uint32_t line);
void pic_end_of_interrupt(uint32_t line);
// Lines 7 and 15 fire by themselves when a request vanishes: true if that is what happened, with
// the needed acknowledgement done.
bool pic_is_spurious(uint32_t line);
