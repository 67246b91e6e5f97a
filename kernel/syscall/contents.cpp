// Contents of open files as a whole: syncing, sizes. Spec: fsync(2), ftruncate(2), fallocate(2).
#include "fs/file_events.hpp"
#include "kernel/syscall/system_call.hpp"

Result<void> sys_fsync(int fd) {
    Ref<File> file = TRY(file_of(fd));
    if (file->flags() & kOpenPath) return Errno::badf;
    return file->sync(false);
}

Result<void> sys_fdatasync(int fd) {
    Ref<File> file = TRY(file_of(fd));
    if (file->flags() & kOpenPath) return Errno::badf;
    return file->sync(true);
}

void sys_sync() { static_cast<void>(vfs_sync_all()); }

Result<void> sys_syncfs(int fd) {
    Ref<File> file = TRY(file_of(fd));
    if (file->flags() & kOpenPath) return Errno::badf;
    if (!file->path()) return {};
    Result<void> done = inode_of(file->path()).file_system().sync();
    TRY(file->tell_file_system_errors());
    return done;
}

Result<void> sys_ftruncate64(int fd, int64_t size) {
    if (size < 0) return Errno::inval;
    Ref<File> file = TRY(file_of(fd));
    if (file->flags() & kOpenPath) return Errno::badf;
    if (!file->writable()) return Errno::inval;
    if (file->inode() && file->inode()->ownership().append_only) return Errno::perm;
    TRY(check_new_size(TRY(file->attributes()).size, static_cast<uint64_t>(size)));
    if (!context().credentials.may(Capability::fsetid) && file->inode())
        TRY(drop_privileges(*file->inode()));
    TRY(file->truncate(static_cast<uint64_t>(size)));
    happened(file->path(), kFileWritten);
    return {};
}
Result<void> sys_ftruncate(int fd, int32_t size) { return sys_ftruncate64(fd, size); }

// Spec: fallocate(2). tmpfs offers it; for others the C library writes the blocks.
Result<void> sys_fallocate(int fd, uint32_t mode, int64_t offset, int64_t bytes) {
    constexpr uint32_t kKeepSize = 1, kPunchHole = 2;
    Ref<File> file = TRY(file_of(fd));
    if (file->flags() & kOpenPath) return Errno::badf;
    if (offset < 0 || bytes <= 0) return Errno::inval;
    if (!file->writable()) return Errno::badf;
    const uint32_t type = TRY(file->attributes()).mode & kTypeMask;
    if (type == kTypeFifo) return Errno::spipe;
    if (type == kTypeDirectory) return Errno::isdir;
    if (type != kTypeRegular) return Errno::nodev;
    if ((mode & ~(kKeepSize | kPunchHole)) || mode == kPunchHole || !file->allocates())
        return Errno::opnotsupp;
    const uint64_t end = static_cast<uint64_t>(offset) + static_cast<uint64_t>(bytes);
    if (end > INT64_MAX) return Errno::fbig;
    const uint64_t size = TRY(file->attributes()).size;
    if (!mode && end > size) TRY(check_new_size(size, end));
    TRY(file->allocate(static_cast<uint64_t>(offset), end, mode & kPunchHole, mode & kKeepSize));
    happened(file->path(), kFileWritten);
    if (context().credentials.may(Capability::fsetid)) return {};
    return drop_privileges(*file->inode());
}

constexpr SystemCall kContentsCalls[] = {
    CALL(36, sync, sys_sync),
    CALL(93, ftruncate, sys_ftruncate),
    CALL(118, fsync, sys_fsync),
    CALL(148, fdatasync, sys_fdatasync),
    CALL(194, ftruncate64, sys_ftruncate64),
    CALL(324, fallocate, sys_fallocate),
    CALL(344, syncfs, sys_syncfs),
};
SYSTEM_CALLS_THAT_WAIT(kContentsCalls);
