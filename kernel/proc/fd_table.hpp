// FdTable: a process' descriptors: small numbers for open files, each with its close-on-exec flag.
// Shared between processes made with CLONE_FILES, hence counted.
// Locks: its own SpinLock (rank process). Files are closed (their last reference dropped) outside it.
#pragma once

#include "fs/file.hpp"
#include "kernel/lib/vector.hpp"
#include "kernel/sync/spin_lock.hpp"

class FdTable : public RefCounted {
  public:
    ~FdTable() override;
    Result<Ref<File>> get(int fd) const;  // EBADF
    // The lowest free number >= `minimum`. EMFILE at `limit`, ENOMEM.
    Result<int> install(Ref<File> file, bool close_on_exec, uint32_t limit, int minimum = 0);
    // dup2: replaces what `fd` was. EBADF beyond `limit`.
    Result<void> install_at(int fd, Ref<File> file, bool close_on_exec, uint32_t limit);
    Result<void> close(int fd);  // EBADF
    Result<bool> close_on_exec(int fd) const;
    Result<void> set_close_on_exec(int fd, bool value);
    int next_open(int from) const;  // the first open descriptor >= from, or -1

    Result<Ref<FdTable>> clone() const NO_LOCK_ANALYSIS;  // nobody else knows the copy yet
    void close_for_exec();

  private:
    struct Slot {
        Ref<File> file;
        bool close_on_exec = false;
    };
    Result<void> grow(uint32_t size);
    void closed(File* file);
    mutable SpinLock lock_{LockRank::process};
    Vector<Slot> slots_ GUARDED_BY(lock_);
};
