// Advice about ranges of an address space, and writing back what was written to files there.
// Spec: madvise(2), msync(2).
#pragma once

#include "mm/address_space.hpp"

constexpr uint32_t kSyncAsync = 1, kSyncInvalidate = 2, kSyncNow = 4;

Result<void> advise(AddressSpace& space, VirtAddr start, uint32_t length, uint32_t advice);
Result<void> sync(AddressSpace& space, VirtAddr start, uint32_t length, uint32_t flags);
