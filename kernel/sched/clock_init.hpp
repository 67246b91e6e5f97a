// Starting the clock: for kernel/main.cpp only. Calibrates the TSC, starts the 100 Hz tick.
#pragma once

#include "kernel/lib/types.hpp"

void clock_init(Nanoseconds wall_clock);  // nanoseconds since 1970 now
void clock_join();                        // another CPU: its own ticks
