// Names: opening, making, removing, moving, linking; where a process is in the tree; mounts.
// Spec: open(2), mkdir(2), link(2), rename(2), chdir(2), mount(2) and kin.
#include "kernel/syscall/system_call.hpp"

// --- opening

Result<int> sys_openat(int at, UserString name, uint32_t flags, uint32_t mode) {
    UserName file;
    TRY(file.load(at, name));
    bool close_on_exec = flags & kOpenCloseOnExec;
    return install_opened(close_on_exec, [&] {
        return vfs_open(context(), file.base(), file.text(), flags & ~kOpenCloseOnExec,
                        mode & 07777);
    });
}
Result<int> sys_open(UserString name, uint32_t flags, uint32_t mode) {
    return sys_openat(kAtWorkingDirectory, name, flags, mode);
}
Result<int> sys_creat(UserString name, uint32_t mode) {
    return sys_open(name, kOpenCreate | kOpenWriteOnly | kOpenTruncate, mode);
}

// --- making and removing

Result<void> sys_mkdirat(int at, UserString name, uint32_t mode) {
    UserName directory;
    TRY(directory.load(at, name));
    return vfs_mkdir(context(), directory.base(), directory.text(), mode & 01777);
}
Result<void> sys_mkdir(UserString name, uint32_t mode) {
    return sys_mkdirat(kAtWorkingDirectory, name, mode);
}

Result<void> sys_mknodat(int at, UserString name, uint32_t mode, uint32_t device) {
    UserName node;
    TRY(node.load(at, name));
    switch (mode & kTypeMask) {
        case 0: mode |= kTypeRegular; break;
        case kTypeRegular:
        case kTypeFifo:
        case kTypeSocket: break;
        case kTypeCharacter:
        case kTypeBlock:
            if (!context().credentials.may(Capability::mknod)) return Errno::perm;
            break;
        case kTypeDirectory: return Errno::perm;
        default: return Errno::inval;
    }
    return vfs_mknod(context(), node.base(), node.text(), mode, device);
}
Result<void> sys_mknod(UserString name, uint32_t mode, uint32_t device) {
    return sys_mknodat(kAtWorkingDirectory, name, mode, device);
}

Result<void> sys_unlinkat(int at, UserString name, uint32_t flags) {
    if (flags & ~kAtRemoveDirectory) return Errno::inval;
    UserName victim;
    TRY(victim.load(at, name));
    if (flags) return vfs_rmdir(context(), victim.base(), victim.text());
    return vfs_unlink(context(), victim.base(), victim.text());
}
Result<void> sys_unlink(UserString name) { return sys_unlinkat(kAtWorkingDirectory, name, 0); }
Result<void> sys_rmdir(UserString name) {
    return sys_unlinkat(kAtWorkingDirectory, name, kAtRemoveDirectory);
}

// --- links and moves

Result<void> sys_linkat(int old_at, UserString old_name, int new_at, UserString new_name,
                        uint32_t flags) {
    if (flags & ~(kAtFollow | kAtEmptyPath)) return Errno::inval;
    // A process may not always give a name to a file that was only passed to it.
    const bool empty =
        flags & kAtEmptyPath && context().credentials.may(Capability::dac_read_search);
    UserName from, to;
    TRY(from.load(old_at, old_name, empty ? EmptyName::allowed : EmptyName::refused));
    TRY(to.load(new_at, new_name));
    if (from.text().empty()) return vfs_link_file(context(), from.base(), to.base(), to.text());
    return vfs_link(context(), from.base(), from.text(), to.base(), to.text(),
                    flags & kAtFollow ? Follow::yes : Follow::no);
}
Result<void> sys_link(UserString old_name, UserString new_name) {
    return sys_linkat(kAtWorkingDirectory, old_name, kAtWorkingDirectory, new_name, 0);
}

Result<void> sys_symlinkat(UserString target, int at, UserString name) {
    UserText text;
    std::string_view to = TRY(text.copy(target));
    if (to.empty()) return Errno::noent;
    UserName link;
    TRY(link.load(at, name));
    return vfs_symlink(context(), to, link.base(), link.text());
}
Result<void> sys_symlink(UserString target, UserString name) {
    return sys_symlinkat(target, kAtWorkingDirectory, name);
}

Result<uint32_t> sys_readlinkat(int at, UserString name, UserPtr<char> to, uint32_t bytes) {
    if (static_cast<int32_t>(bytes) <= 0) return Errno::inval;
    UserName link;
    TRY(link.load(at, name, EmptyName::allowed));
    Box<PageBuffer> buffer = TRY(make_box<PageBuffer>());
    std::span<char> room = buffer->span().first(bytes < kPageSize ? bytes : kPageSize);
    uint32_t length;
    if (!link.text().empty())
        length = TRY(vfs_readlink(context(), link.base(), link.text(), room));
    else if (at != kAtWorkingDirectory && link.base() &&
             inode_of(link.base()).attributes().is_symlink())
        length = TRY(inode_of(link.base()).read_link(room));  // an O_PATH descriptor of the link
    else
        return Errno::noent;
    TRY(copy_to_user(to.address(), buffer->bytes, length));
    return length;
}
Result<uint32_t> sys_readlink(UserString name, UserPtr<char> to, uint32_t bytes) {
    return sys_readlinkat(kAtWorkingDirectory, name, to, bytes);
}

Result<void> sys_renameat2(int old_at, UserString old_name, int new_at, UserString new_name,
                           uint32_t flags) {
    constexpr uint32_t kNoReplace = 1, kExchange = 2;
    if (flags > kExchange) return Errno::inval;
    UserName from, to;
    TRY(from.load(old_at, old_name));
    TRY(to.load(new_at, new_name));
    return vfs_rename(context(), from.base(), from.text(), to.base(), to.text(),
                      flags & kExchange    ? Rename::exchange
                      : flags & kNoReplace ? Rename::keep
                                           : Rename::replace);
}
Result<void> sys_renameat(int old_at, UserString old_name, int new_at, UserString new_name) {
    return sys_renameat2(old_at, old_name, new_at, new_name, 0);
}
Result<void> sys_rename(UserString old_name, UserString new_name) {
    return sys_renameat2(kAtWorkingDirectory, old_name, kAtWorkingDirectory, new_name, 0);
}

// --- where a process is

Result<void> sys_chdir(UserString name) {
    UserName directory;
    TRY(directory.load(kAtWorkingDirectory, name));
    return vfs_chdir(context(), TRY(directory.resolve(Follow::yes)));
}

Result<void> sys_fchdir(int fd) {
    Ref<File> file = TRY(file_of(fd));
    if (!file->path()) return Errno::notdir;
    return vfs_chdir(context(), file->path());
}

Result<void> sys_chroot(UserString name) {
    UserName directory;
    TRY(directory.load(kAtWorkingDirectory, name));
    Path path = TRY(directory.resolve(Follow::yes));
    return vfs_chroot(context(), path);
}

// Returns the length with the NUL.
Result<uint32_t> sys_getcwd(UserPtr<char> to, uint32_t bytes) {
    const Path here = working_directory(context());
    if (path_removed(here)) return Errno::noent;
    Box<PageBuffer> buffer = TRY(make_box<PageBuffer>());
    std::string_view name = TRY(path_name(context(), here, buffer->span().first(kPageSize - 1)));
    auto length = static_cast<uint32_t>(name.size());
    if (length + 1 > bytes) return Errno::range;
    TRY(copy_to_user(to.address(), name.data(), length));
    TRY(write_user(to + length, '\0'));
    return length + 1;
}

uint32_t sys_umask(uint32_t mask) { return std::exchange(context().umask, mask & 0777); }

// --- mounts

Result<void> sys_mount(UserString source, UserString target, UserString type, uint32_t flags,
                       UserString options) {
    UserText source_text, target_text, type_text, options_text;
    std::string_view from, kind, details;
    if (type) kind = TRY(type_text.copy(type));
    if (source) from = TRY(source_text.copy(source));
    if (options) details = TRY(options_text.copy(options));
    std::string_view where = TRY(target_text.copy(target));
    if (where.empty()) return Errno::noent;
    constexpr uint32_t kOldMagic = 0xc0ed0000, kMagicMask = 0xffff0000;
    if ((flags & kMagicMask) == kOldMagic) flags &= ~kMagicMask;
    return vfs_mount(context(), from, where, kind, flags, details);
}

Result<void> sys_umount2(UserString target, uint32_t flags) {
    constexpr uint32_t kAllFlags = 15;
    if (flags & ~kAllFlags) return Errno::inval;
    UserText text;
    std::string_view where = TRY(text.copy(target));
    if (where.empty()) return Errno::noent;
    return vfs_unmount(context(), where, flags);
}
Result<void> sys_umount(UserString target) { return sys_umount2(target, 0); }

constexpr SystemCall kNamesCalls[] = {
    CALL(5, open, sys_open),
    CALL(8, creat, sys_creat),
    CALL(9, link, sys_link),
    CALL(10, unlink, sys_unlink),
    CALL(12, chdir, sys_chdir),
    CALL(14, mknod, sys_mknod),
    CALL(21, mount, sys_mount),
    CALL(22, umount, sys_umount),
    CALL(38, rename, sys_rename),
    CALL(39, mkdir, sys_mkdir),
    CALL(40, rmdir, sys_rmdir),
    CALL(52, umount2, sys_umount2),
    CALL(60, umask, sys_umask),
    CALL(61, chroot, sys_chroot),
    CALL(83, symlink, sys_symlink),
    CALL(85, readlink, sys_readlink),
    CALL(133, fchdir, sys_fchdir),
    CALL(183, getcwd, sys_getcwd),
    CALL(295, openat, sys_openat),
    CALL(296, mkdirat, sys_mkdirat),
    CALL(297, mknodat, sys_mknodat),
    CALL(301, unlinkat, sys_unlinkat),
    CALL(302, renameat, sys_renameat),
    CALL(303, linkat, sys_linkat),
    CALL(304, symlinkat, sys_symlinkat),
    CALL(305, readlinkat, sys_readlinkat),
    CALL(353, renameat2, sys_renameat2),
};
SYSTEM_CALLS_THAT_WAIT(kNamesCalls);
