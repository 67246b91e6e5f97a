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
    Result<Ref<File>> get(int fd);  // EBADF
    // The lowest free number >= `minimum`. EMFILE at `limit`, ENOMEM.
    Result<int> install(Ref<File> file, bool close_on_exec, uint32_t limit, int minimum = 0);
    // The same before there is a file, so that what is opened for it need not be undone: the number is
    // kept until fill() gives it a file, or null.
    Result<int> reserve(uint32_t limit);
    void fill(int fd, Ref<File> file, bool close_on_exec);
    // dup2: replaces what `fd` was. EBADF beyond `limit`; EBUSY: it is reserved.
    Result<void> install_at(int fd, Ref<File> file, bool close_on_exec, uint32_t limit);
    Result<void> close(int fd);  // EBADF
    Result<bool> close_on_exec(int fd);
    Result<void> set_close_on_exec(int fd, bool value);
    int next_open(int from) const;  // the first open descriptor >= from, or -1

    Result<Ref<FdTable>> clone() const NO_LOCK_ANALYSIS;  // nobody else knows the copy yet
    void close_for_exec();

  private:
    struct Slot {
        Ref<File> file;
        bool close_on_exec = false, reserved = false;
        bool is_free() const { return !file && !reserved; }
    };
    Slot* find(int fd) REQUIRES(lock_);  // null: it is not open
    Result<uint32_t> find_free(uint32_t minimum, uint32_t limit) REQUIRES(lock_);
    template <typename F>
    Result<int> take(uint32_t limit, int minimum, F&& fill);
    Result<void> grow(uint32_t size);
    void closed(File* file);
    mutable SpinLock lock_{LockRank::process};
    Vector<Slot> slots_ GUARDED_BY(lock_);
    uint32_t first_free_ GUARDED_BY(lock_) = 0;  // all below are in use
};
