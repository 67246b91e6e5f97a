// Moving and resizing mappings.
// Spec: mremap(2).
#pragma once

#include "mm/address_space.hpp"

constexpr uint32_t kRemapMayMove = 1, kRemapFixed = 2, kRemapKeep = 4;

// EINVAL, EFAULT, ENOMEM, EAGAIN, EPERM
Result<VirtAddr> remap(AddressSpace& space, VirtAddr start, uint32_t old_length,
                       uint32_t new_length, uint32_t flags, VirtAddr new_start);
