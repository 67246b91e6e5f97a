// The kernel's heap: behind `new (std::nothrow)` and `delete`. Throwing `new` isn't defined, so
// that code which forgets to check doesn't link.
// Locks: the heap's IrqSpinLock (rank heap); callable from interrupt handlers, never sleeps.
#pragma once

#include "mm/slab_heap.hpp"

void heap_init();  // it works from frames_init on; this lets it give spare pages back
HeapStatistics heap_statistics();
