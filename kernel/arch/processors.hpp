// Starting another processor.
// Locks: none; the boot processor does this before anything else runs.
// Spec: Intel SDM vol. 3A, 8.4.4.1 (INIT, SIPI, SIPI).
#pragma once

#include "kernel/arch/cpu.hpp"

struct ProcessorStart {
    PhysAddr directory;  // the kernel's, plus the first 4 MiB of memory where they are
    uint32_t stack;      // its top
    void (*entry)(Cpu&);
};
// Starts the processor with cpu.apic_id. `wait` sleeps for so many microseconds, or spins.
// Whether it came up (cpu.online) within a second.
bool start_processor(Cpu& cpu, const ProcessorStart& how, void (*wait)(uint32_t microseconds));

// Whether the two CPUs' time stamp counters agree: both call this at the same time.
bool tsc_agrees_with_starter();
bool tsc_agrees_with_started();
