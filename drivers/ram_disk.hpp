// RAM disks: ram0, ram1, ... over memory that the boot loader filled (a module). Repeatable runs
// use one, because a real disk completes in the host's time.
// Locks: none; the page cache never has two requests for one block under way.
#pragma once

#include "kernel/lib/types.hpp"

// The memory stays the disk's for good. What lies above the direct map is refused with a message;
// a trailing part of a sector is ignored.
void ram_disk_add(PhysAddr start, uint32_t bytes);
