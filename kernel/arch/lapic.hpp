// The local APIC: each CPU's own interrupt controller. It takes what I/O APICs and other CPUs send,
// and has a timer.
// Locks: none; a CPU touches its own only, with interrupts off where an order of writes matters.
// Spec: Intel SDM vol. 3A, chapter 10 (10.4 registers, 10.5.4 timer, 10.6 IPIs, 10.9 spurious).
#pragma once

#include <cstdint>

// Vectors above those of the 16 device lines (pic.hpp).
constexpr uint32_t kFirstLocalVector = 0x30;
constexpr uint32_t kVectorTimer = 0x30, kVectorReschedule = 0x31, kVectorShootDown = 0x32;
constexpr uint32_t kLocalVectors = 3;
constexpr uint32_t kVectorSpurious = 0xff;

void lapic_use(volatile uint32_t* registers);  // mapped uncached, for all CPUs
bool lapic_in_use();
void lapic_init_cpu();  // on every CPU
uint32_t lapic_id();    // of this CPU
void lapic_end_of_interrupt();

// --- interrupts to other CPUs
void lapic_send(uint32_t apic_id, uint32_t vector);
void lapic_send_nmi_to_others();
void lapic_send_init(uint32_t apic_id);
void lapic_send_startup(uint32_t apic_id, uint32_t page);  // starts in real mode at page << 12

// --- the timer: counts down once
void lapic_timer_start(uint32_t count);
uint32_t lapic_timer_left();
