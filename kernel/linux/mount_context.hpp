// A mount that is being made in steps, as a file: parameters first, then the file system, then the mount.
// Invariant: while a step is under way the phase lets no other one begin.
// Locks: `lock_` for all of it; not held while file systems are mounted or changed.
// Spec: fsopen(2), fsconfig(2), fsmount(2), fspick(2).
#pragma once

#include "fs/detached_mounts.hpp"
#include "kernel/linux/anonymous_file.hpp"

class MountContext final : public AnonymousFile {
  public:
    static constexpr char kKind = 0;
    enum class Value : uint8_t { flag, text, other };

    // For a file system that is to be made; or one that is there, to be changed.
    explicit MountContext(FileSystemType& type) : AnonymousFile(0, kText), type_(&type) {}
    explicit MountContext(Ref<FileSystem> there)
        : AnonymousFile(0, kText), phase_(Phase::changing), file_system_(std::move(there)) {}
    ~MountContext() override;
    const void* kind() const override { return &kKind; }
    bool pollable() const override { return false; }
    // The oldest message: "e TEXT". ENODATA; EMSGSIZE: it is longer, and lost.
    Result<uint32_t> read_at(ByteSink& to, uint64_t offset) override;

    // EINVAL with a message; EBUSY: it is not the time for it.
    Result<void> set(std::string_view key, Value kind, std::string_view value);
    // The same; EPERM: `who` is no administrator, though the context is open.
    Result<void> create(const FsContext& who);
    Result<void> reconfigure(const FsContext& who);
    // What create() made, once. EINVAL: nothing; EBUSY: it is taken already.
    Result<Ref<Mount>> take();

  private:
    static constexpr std::string_view kText = "anon_inode:[fscontext]";
    static constexpr uint32_t kMessages = 8;
    enum class Phase : uint8_t { parameters, made, changing, under_way, failed };

    Result<void> add_option(std::string_view key, Value kind, std::string_view value)
        REQUIRES(lock_);
    Errno refuse(std::string_view text, std::string_view about = {}) REQUIRES(lock_);

    FileSystemType* const type_ = nullptr;
    Mutex lock_{LockRank::inode};
    Phase phase_ GUARDED_BY(lock_) = Phase::parameters;
    Ref<FileSystem> file_system_ GUARDED_BY(lock_);
    Ref<Mount> mount_ GUARDED_BY(lock_);
    String source_ GUARDED_BY(lock_), messages_[kMessages] GUARDED_BY(lock_);
    bool has_source_ GUARDED_BY(lock_) = false;
    bool read_only_ GUARDED_BY(lock_) = false, read_only_said_ GUARDED_BY(lock_) = false;
    uint32_t first_message_ GUARDED_BY(lock_) = 0, message_count_ GUARDED_BY(lock_) = 0;
    uint32_t options_bytes_ GUARDED_BY(lock_) = 0;
    char options_[kPageSize] GUARDED_BY(lock_);  // as mount(2) takes them
};
