// Another process' memory, as debuggers change it.
#pragma once

#include "mm/address_space.hpp"

// Also what the program may not write itself, if it is private. At most a page. EIO.
Result<void> write_by_force(AddressSpace& space, VirtAddr to, const void* from, uint32_t bytes);
