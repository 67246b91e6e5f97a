// memfd: a file of memory that has no name, and may be sealed: what is sealed can't be done to it any more,
// by whatever descriptor, so that programs that do not trust each other can share it.
// Invariant: while it is sealed against writing no shared mapping may write to it. Such mappings hold one
// WritableMemory (as the pager that they map), so it lives exactly while there are any.
// Locks: `seals_lock_` for the seals and who gets a WritableMemory.
// Spec: memfd_create(2), fcntl(2) "File Sealing".
#pragma once

#include "fs/tmp/tmp_inode.hpp"

constexpr uint32_t kSealSeals = 1, kSealShrink = 2, kSealGrow = 4, kSealWrite = 8,
                   kSealNewWrites = 16, kAllSeals = 31;

class MemoryFile final : public TmpFile {
  public:
    MemoryFile(TmpFileSystem& fs, const Ownership& owner, uint32_t seals)
        : TmpFile(fs, owner), seals_(seals) {}
    // EPERM: sealed against that, or `file` may not write; EBUSY: a mapping may write.
    Result<void> add_seals(const File& file, uint32_t more);
    uint32_t seals() const { return seals_.load(); }

    Result<void> truncate(uint64_t size) override;
    Result<uint32_t> write(ByteSource& from, uint64_t& offset, bool append) override;
    Result<void> allocate(uint64_t offset, uint64_t end, bool punch, bool keep_size) override;
    Result<Ref<Pager>> shared_pager(bool& may_write) override;

  private:
    friend class WritableMemory;
    bool is_sealed(uint32_t against) const { return seals() & against; }

    SpinLock seals_lock_{LockRank::file_events};
    Atomic<uint32_t> seals_;  // changed under seals_lock_
    class WritableMemory* writable_ GUARDED_BY(seals_lock_) = nullptr;
};

// Null: it is another kind of file.
MemoryFile* memory_file_of(File& file);
// `name` is what /proc shows. ENOMEM, ENOSPC.
Result<Ref<File>> make_memory_file(std::string_view name, uint32_t seals, const FsContext& who);
