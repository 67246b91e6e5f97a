// How a driver reaches physical memory outside the direct map (firmware's tables, device registers, a
// framebuffer): rooms above know how to map it, and hand this down.
#pragma once

#include "kernel/lib/result.hpp"
#include "kernel/lib/types.hpp"

// Makes [start, start + bytes) accessible for good, wherever it lies; needn't be aligned. ENOMEM.
using PhysicalMapper = Result<void*> (*)(PhysAddr start, uint32_t bytes);
