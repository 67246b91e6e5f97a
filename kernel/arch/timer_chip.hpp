// What interrupts a CPU when it is told to: its local APIC's timer, or on a machine without one the
// PIT. And what the time stamp counter's rate is, measured against the PIT.
// Locks: none; each CPU its own, with interrupts off. The PIT is the boot processor's alone.
// Spec: Intel 8254 data sheet (control word, mode 0); ACPI 6.4, 4.8.2.1 (timer); SDM vol. 3A, 10.5.4; vol. 3B, 17.17 (TSC).
#pragma once

#include <cstdint>

// Boot processor only. The TSC's kilohertz; 0: it could not be measured. The best of some windows: the one
// that was interrupted least, and in which the PIT agrees best with `second_clock`, the port of ACPI's timer
// (0: none). A clock that stands still, clocks that disagree, and windows that were all disturbed are
// named in the log.
uint32_t timer_calibrate(uint16_t second_clock);
// The boot processor only: `handle` is called on whichever CPU's timer has run down.
void timer_install(void (*handle)());
// One interrupt of this CPU in so many nanoseconds (at most 10 ms), in place of what was set before.
void timer_program(uint32_t nanoseconds);
