// Switching the machine off and starting it again. Usable in a panic: what ACPI says is read at
// start-up, and no lock is taken.
// Spec: ACPI 6.4, 4.8.3.2 (PM1 control), 4.8.2.5 (legacy and ACPI mode).
#pragma once

void power_init();                  // after acpi_init()
extern void (*before_power_off)();  // interrupts off; nobody else runs any more
[[noreturn]] void power_off();
[[noreturn]] void reboot();
[[noreturn]] void halt();
