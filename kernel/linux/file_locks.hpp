// Advisory locks on files: fcntl's record locks, owned by a process (its descriptor table) or by an
// open file (F_OFD_*), and flock's, owned by an open file. A wait for a process' record lock that
// would close a circle of such waits fails with EDEADLK.
// Invariant: the owner of a lock has the inode open, so its file object lives.
// Locks: one Mutex (rank file_locks) for all of them.
// Spec: fcntl(2), flock(2).
#pragma once

#include "fs/inode.hpp"
#include "kernel/linux/record_locks.hpp"

enum class LockKind : uint8_t { record, open_file_record, whole };  // `record` detects deadlock

// `unlock` never waits. EAGAIN, EDEADLK, ENOMEM, Errno::restart.
Result<void> set_file_lock(Inode& inode, LockKind kind, const LockRange& range, bool unlock,
                           bool wait);
// What is in the way of `range`; false: nothing.
bool find_file_lock(Inode& inode, const LockRange& range, LockRange& found);
