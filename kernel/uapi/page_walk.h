/* /proc/<pid>/page_walk: one of these for every page of the 4 GiB, in order: how the MMU translates
 * it for that process. So the page of address A is at offset (A >> 12) * sizeof(struct page_walk).
 * To others than the superuser frames' numbers are 0, and the file ends below the kernel. */
#pragma once

#include <stdint.h>

struct page_walk {
    uint32_t directory; /* physical address of the page directory, as CR3 has it */
    uint32_t upper;     /* the directory's entry, as the MMU has it; 0: none */
    uint32_t lower;     /* the table's entry; 0: none, or the upper one maps 4 MiB itself */
    uint32_t physical;  /* where the page's first byte lies; 0: nowhere (or not yours to see) */
};
