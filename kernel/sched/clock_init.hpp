// Starting the clock: for kernel/main.cpp only. Calibrates the TSC, starts the 100 Hz tick.
#pragma once

#include "kernel/lib/types.hpp"

// Nanoseconds since 1970 now; the port of ACPI's timer, or 0.
void clock_init(Nanoseconds wall_clock, uint16_t second_clock);
void clock_join();  // another CPU: its own ticks
