// The machine's interrupt controllers and its other processors, as the firmware's tables tell.
// docs/smp.md describes the whole.
#pragma once

struct BootOptions;

// Local and I/O APICs in place of the 8259s, if there are any and nobody said noapic. Needs mm.
void interrupts_init(const BootOptions& options);
// Starts the other processors: each becomes its idle thread. Needs scheduler and clock.
void processors_init(const BootOptions& options);
