// The kernel's heap: behind `new (std::nothrow)` and `delete`. Throwing `new` isn't defined, so
// that code which forgets to check doesn't link. Small objects come from size-class caches
// (slab_heap.hpp) or, when one is chosen, from a placement (heap/placement.hpp); large ones are
// runs of pages. What was allocated under one goes back to it, whatever is chosen by then.
// Locks: the heap's IrqSpinLock (rank heap); callable from interrupt handlers, never sleeps.
#pragma once

#include "kernel/lib/policy_choice.hpp"
#include "mm/heap/placement.hpp"
#include "mm/slab_heap.hpp"

void heap_init();  // it works from frames_init on; this lets it give spare pages back
HeapStatistics heap_statistics();

extern const PolicyChoice kHeapChoice;  // mm.heap=NAME, /proc/sys/vm/heap
void show_heap(TextSink& to);           // /proc/heap: figures of all that were used

// The leak check by owner, in debug builds (elsewhere there is nothing to show): who has how much,
// and how much more than at the mark. "mark" marks; "leak" loses ten objects on purpose.
void show_heap_owners(TextSink& to);
Result<void> command_heap_owners(std::string_view command);
