// Pages that stay in memory (mlock), and that are brought in ahead of use. Limits in bytes.
// Locks: populate and all that take an AddressSpace take its lock themselves.
// Spec: mlock(2), mlockall(2).
#pragma once

#include "mm/mapping.hpp"

constexpr uint32_t kLockCurrent = 1, kLockFuture = 2, kLockOnFault = 4;  // mlockall(2)

// What is locked is brought in, unless on_fault. EINVAL, ENOMEM, EAGAIN.
Result<void> lock_range(AddressSpace& space, VirtAddr start, uint32_t length, bool on_fault,
                        uint32_t limit);
Result<void> lock_all(AddressSpace& space, uint32_t flags, uint32_t limit);
Result<void> unlock_range(AddressSpace& space, VirtAddr start, uint32_t length);
void unlock_all(AddressSpace& space);

// Brings in the range's pages as accesses would; absent_only: those that are on a disk. ENOMEM.
Result<void> populate(AddressSpace& space, PageRange range, bool absent_only);

uint32_t locked_pages(const LockedSpace& locked, PageRange within);
// ENOMEM: so many more locked pages are beyond the limit.
Result<void> check_locked(const LockedSpace& locked, uint32_t more, uint32_t limit);
