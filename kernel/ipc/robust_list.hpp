// Robust lists: the futexes that a thread holds, linked in its own memory, so that the kernel can
// tell the next owner (FUTEX_OWNER_DIED) when the thread ends without letting go.
// The list is whatever a program wrote there: the walk ends at the first bad pointer and after
// kMostRobustEntries, so that a ring of them does no harm.
// Spec: get_robust_list(2), futex(2); Documentation/locking/robust-futex-ABI of Linux.
#pragma once

#include <cstdint>

constexpr uint32_t kMostRobustEntries = 2048;
constexpr uint32_t kRobustHeadBytes = 12;

// For the running thread, which is `tid` to user space, in its own address space. May sleep.
void release_robust_list(uint32_t head, int tid);
