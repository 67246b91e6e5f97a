// The virtual area: kernel addresses that are mapped page by page. Thread stacks with an unmapped
// guard page below, device registers, buffers too wide for a run of frames.
// Invariant: every reserved range is preceded by a reserved page that is never mapped.
// Locks: a SpinLock (rank virtual_area).
#pragma once

#include "kernel/lib/result.hpp"
#include "kernel/lib/types.hpp"

void virtual_area_init();  // also installs the threads' stack source

// Physical memory that isn't ours (device registers, firmware tables), wherever it lies; `start`
// and `bytes` needn't be aligned. Uncached unless said otherwise.
enum class Caching : uint8_t { off, on };
Result<void*> map_device(PhysAddr start, uint32_t bytes, Caching caching = Caching::off);
inline Result<void*> map_registers(PhysAddr start, uint32_t bytes) {
    return map_device(start, bytes);
}

// Memory of any size, contiguous only virtually. Contents undefined.
Result<void*> allocate_wide(uint32_t bytes);
void free_wide(void* memory, uint32_t bytes);

// Whether the address lies in a guard page: an access to it is a kernel stack's overflow.
bool is_stack_guard(VirtAddr address);
