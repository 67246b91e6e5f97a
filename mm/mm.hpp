// The memory room's start, in order; kernel/main.cpp calls it after cpu_init, before anything that
// allocates. address_spaces_init (mm/address_space.hpp) comes when traps work.
#pragma once

#include "boot/boot_info.hpp"

void mm_init(const BootInfo& info);
