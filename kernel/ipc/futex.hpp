// Futexes: sleeping until a word of memory may have changed.
// A sleeper joins its bucket first and reads the word then, so a change after the reading finds it
// there: no wake-up is lost, and no user memory is touched with the lock held.
// A word is known by what it lies in: the address space (private memory), or the object behind a
// shared mapping, so that processes meet.
// Locks: one IrqSpinLock (rank futex) for all buckets, because requeueing needs two at once.
// Spec: futex(2).
#pragma once

#include <span>

#include "kernel/arch/user_access.hpp"
#include "kernel/sched/thread.hpp"

struct FutexKey {
    const void* object = nullptr;
    uint32_t page = 0, offset = 0;
    bool operator==(const FutexKey&) const = default;
};
constexpr uint32_t kAnyBit = UINT32_MAX;

// EINVAL: not aligned. EFAULT: not in user space. `process_private`: FUTEX_PRIVATE_FLAG.
Result<FutexKey> futex_key(VirtAddr address, bool process_private);

// Sleeps if the word is `expected`; EAGAIN if it isn't, ETIMEDOUT, EFAULT, Errno::restart.
Result<void> futex_wait(const FutexKey& key, VirtAddr address, uint32_t expected, uint32_t bits,
                        Nanoseconds deadline);
// The same for several words, until one of them is woken: which.
struct FutexWord {
    FutexKey key;
    VirtAddr address{0};
    uint32_t expected = 0;
};
Result<uint32_t> futex_wait_any(std::span<const FutexWord> words, Nanoseconds deadline);
// Wakes up to `count` sleepers that share a bit with `bits`, longest sleepers first; how many.
uint32_t futex_wake(const FutexKey& key, uint32_t count, uint32_t bits = kAnyBit);
// Wakes up to `wake`, and moves up to `move` of the others to another word. Both counts.
struct Requeued {
    uint32_t woken, moved;
};
Requeued futex_requeue(const FutexKey& from, const FutexKey& to, uint32_t wake, uint32_t move);

// For clear_child_tid: the word at a user address of the current address space.
void futex_wake(VirtAddr address, uint32_t count);

// Words of locks that name their owner: those of robust and of priority-inheriting mutexes.
constexpr uint32_t kFutexWaiters = 0x80000000, kFutexOwnerDied = 0x40000000,
                   kFutexOwner = 0x3fffffff;
void futex_init();  // tells who waits for whom (fs/wait_edges.hpp)
