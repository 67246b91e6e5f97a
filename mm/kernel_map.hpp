// The kernel's half of every page directory: direct map, image with its protections, virtual area,
// windows. All its directory entries are made once at boot, so that every address space has the
// same ones for ever and nothing needs to be kept in step.
// Locks: entries of the virtual area belong to the owner of the addresses.
#pragma once

#include "kernel/arch/page_table.hpp"

void kernel_map_init();       // after frames_init: builds the directory and loads it
PhysAddr kernel_directory();  // no user pages at all
void copy_kernel_half(PageTable& directory);
VirtAddr virtual_area_end();                     // how far page tables exist
PageEntry& kernel_page_entry(VirtAddr address);  // of the virtual area and the windows only
