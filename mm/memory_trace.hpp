// The trace's events about memory beside the faults themselves (faults.cpp): which ranges a program
// has mapped, how much of them is in memory (AddressSpace), who owns the machine's frames.
#pragma once

#include <cstdint>

// Where a fault's page came from: the `source` of a fault_done event.
enum class FaultSource : uint8_t {
    none,       // the fault was refused
    zeroed,     // a new frame, filled with zeros
    file,       // the pager's own frame
    file_copy,  // a copy of it, for a private mapping that is written
    copy,       // of a page that others have too
    write,      // the frame was there; only the right to write came
    swap,       // a slot's contents, read now or found cached
    present,    // the frame was there, with all rights
};

void memory_trace_init();

// In the timer interrupt: the machine's frames by owner, if that changed.
void trace_frames(uint32_t of_files);
