// RAM disks: ram0, ram1, ... over memory that the boot loader filled (a module). Repeatable runs
// use one, because a real disk completes in the host's time. It may be as slow as a disk all the same:
// then requests wait in a queue with an elevator, and each takes `ram_disk_delay` of the machine's time.
// Locks: the queue's; without one none, as the page cache never has two requests for one block under way.
#pragma once

#include "kernel/lib/atomic.hpp"
#include "kernel/lib/types.hpp"

inline constinit Atomic<uint32_t> ram_disk_delay{
    0};  // microseconds; /proc/sys/dev/disk/ram_delay_us

// The memory stays the disk's for good. What lies above the direct map is refused with a message;
// a trailing part of a sector is ignored.
void ram_disk_add(PhysAddr start, uint32_t bytes);
