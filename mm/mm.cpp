// See mm.hpp.
#include "mm/mm.hpp"

#include "kernel/lib/log.hpp"
#include "mm/frames.hpp"
#include "mm/heap.hpp"
#include "mm/kernel_map.hpp"
#include "mm/virtual_area.hpp"

void mm_init(const BootInfo& info) {
    frames_init(info);    // from here on there are frames
    heap_init();          // and so objects
    kernel_map_init();    // the final page tables; the identity mapping is gone
    virtual_area_init();  // stacks for threads

    const MemoryTotals totals = memory_totals();
    log_info("memory: {} KiB, {} KiB free, {} KiB of it in the direct map", totals.total * 4,
             totals.free * 4, totals.low_free * 4);
}
