// The trace's events about memory beside the faults themselves (fault_record.hpp): which ranges a program
// has mapped, how much of them is in memory , who owns the machine's frames.
#pragma once

#include <string_view>

#include "kernel/lib/types.hpp"

class AddressSpace;
class LockedSpace;
struct RegionAttributes;

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

constexpr std::string_view kFaultSourceNames[] = {"none", "zeroed", "file", "file-copy",
                                                  "copy", "write",  "swap", "present"};

void memory_trace_init();

void trace_mapped(const LockedSpace& space, VirtAddr start, VirtAddr end,
                  const RegionAttributes& attributes);
void trace_unmapped(const LockedSpace& space, VirtAddr start, VirtAddr end);
void trace_evicted(LockedSpace& space, VirtAddr page, Frame frame, bool dirty);
void trace_resident(LockedSpace& space);  // at most once a tick
void trace_regions(AddressSpace& of);     // all of them, for the program that begins

// In the timer interrupt: the machine's frames by owner, if that changed.
void trace_frames(uint32_t of_files);
