// Another process' memory, as debuggers change it.
#pragma once

#include "kernel/proc/process.hpp"
#include "mm/address_space.hpp"

// ESRCH: it has none any more. Locks: takes process_tree.
Result<Ref<AddressSpace>> space_of(const UserThread& thread);

// Also what the program may not write itself, if it is private. At most a page. EIO.
Result<void> write_by_force(AddressSpace& space, VirtAddr to, const void* from, uint32_t bytes);
