// The trace at work: rings for each CPU, and at the end all of it to the host if it asked for it.
#pragma once

struct BootOptions;

void tracing_init(const BootOptions& options);  // this CPU; after clock_init()
void tracing_of_other_cpus();                   // once they are up
