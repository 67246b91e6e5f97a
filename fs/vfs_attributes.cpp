// Calls that look at and change what a file has beside its contents: see vfs.hpp.
// Spec: stat(2), access(2), chmod(2), chown(2), utimensat(2), truncate(2), chdir(2), chroot(2).
#include "fs/file_events.hpp"
#include "fs/lookup.hpp"
#include "kernel/sync/spin_lock.hpp"

Result<Attributes> vfs_stat(const FsContext& who, const Path& base, std::string_view name,
                            Follow follow) {
    Walk walk(who);
    walk.may_open(kOpenPath);
    TRY(walk.to_last(base, name));
    if (!TRY(walk.find_last(follow))) return Errno::noent;
    if (walk.magic_file()) return walk.magic_file()->attributes();
    return walk.found().inode()->attributes();
}

Result<void> vfs_access(const FsContext& who, const Path& base, std::string_view name,
                        uint32_t wanted, Follow follow) {
    const Path path = name.empty() ? base : TRY(resolve(who, base, name, follow));
    uint32_t type = path.dentry().type();
    const bool contents = type == kTypeRegular || type == kTypeDirectory || type == kTypeSymlink;
    if ((wanted & kMayWrite) && contents && path.mount().read_only()) return Errno::rofs;
    if ((wanted & kMayExecute) && type == kTypeRegular && (path.mount().flags & kMountNoExecute))
        return Errno::acces;
    return check_permission(inode_of(path).ownership(), who.credentials, wanted);
}

Result<uint32_t> vfs_readlink(const FsContext& who, const Path& base, std::string_view name,
                              std::span<char> buffer) {
    // An empty name means `base` itself, opened with O_PATH | O_NOFOLLOW.
    Path path = name.empty() ? base : TRY(resolve(who, base, name, Follow::no));
    if (!path.dentry().is_symlink()) return name.empty() ? Errno::noent : Errno::inval;
    Inode& link = inode_of(path);
    const uint32_t length = TRY(link.read_link(buffer));
    note_access(path, link);
    return length;
}

// One of the two times alone is set as if the file had been used.
static uint32_t told_of(const SetAttributes& changes) {
    const bool only_times = !changes.set_mode && !changes.set_uid && !changes.set_gid;
    if (!only_times || changes.set_accessed == changes.set_modified) return kFileChanged;
    return changes.set_accessed ? kFileRead : kFileWritten;
}

Result<void> vfs_set_attributes(const FsContext& who, const Path& path,
                                const SetAttributes& wanted) {
    if (path.mount().read_only()) return Errno::rofs;
    Inode& inode = inode_of(path);
    const Ownership now = inode.ownership();
    const bool only_now =
        wanted.times_are_now && !wanted.set_mode && !wanted.set_uid && !wanted.set_gid;
    const bool nothing =
        !wanted.set_mode && !wanted.set_uid && !wanted.set_gid && !wanted.set_times;
    if (now.immutable ? !nothing : now.append_only && !nothing && !only_now) return Errno::perm;
    if (wanted.set_mode && (now.mode & kTypeMask) == kTypeSymlink) return Errno::opnotsupp;
    const Credentials& caller = who.credentials;
    const bool owner = caller.fsuid == now.uid || caller.may(Capability::fowner);
    const bool gives = caller.may(Capability::chown), own = caller.fsuid == now.uid;
    SetAttributes changes = wanted;
    if (changes.set_mode) {
        if (!owner) return Errno::perm;
        if (!caller.may(Capability::fsetid) && !caller.in_group(now.gid))
            changes.mode &= ~kModeSetGid;
    }
    if (changes.set_uid && !gives && !(own && changes.uid == now.uid)) return Errno::perm;
    if (changes.set_gid && !gives &&
        !(own && (changes.gid == now.gid || caller.in_group(changes.gid))))
        return Errno::perm;
    // A program that changes hands does not lend its new owner's rights.
    if ((changes.set_uid || changes.set_gid) && !changes.set_mode &&
        (now.mode & kTypeMask) == kTypeRegular && (now.mode & (kModeSetUid | kModeSetGid))) {
        uint32_t lost = kModeSetUid | ((now.mode & 010) ? kModeSetGid : 0);
        changes.set_mode = true;
        changes.mode = now.mode & 07777 & ~lost;
    }
    if ((changes.set_accessed || changes.set_modified) && !owner) {
        if (!changes.times_are_now) return Errno::perm;
        TRY(check_permission(now, caller, kMayWrite));
    }
    TRY(inode.set_attributes(changes));
    happened(path, told_of(changes));
    return {};
}

Result<void> vfs_set_flags(const FsContext& who, const Path& path, uint32_t flags) {
    Inode& inode = inode_of(path);
    const uint32_t now = TRY(inode.flags());
    if (path.mount().read_only()) return Errno::rofs;
    const Credentials& caller = who.credentials;
    if (caller.fsuid != inode.ownership().uid && !caller.may(Capability::fowner))
        return Errno::perm;
    if (((now ^ flags) & (kFlagImmutable | kFlagAppendOnly)) &&
        !caller.may(Capability::linux_immutable))
        return Errno::perm;
    return inode.set_flags(flags);
}

Result<void> truncate_for(const FsContext& who, Inode& inode, uint64_t size) {
    TRY(inode.begin_writing());
    Result<void> done;
    if (!who.credentials.may(Capability::fsetid)) done = drop_privileges(inode);
    if (done.is_ok()) done = inode.truncate(size);
    inode.end_writing();
    return done;
}

Result<void> vfs_truncate(const FsContext& who, const Path& path, uint64_t size) {
    uint32_t type = path.dentry().type();
    if (type == kTypeDirectory) return Errno::isdir;
    if (type != kTypeRegular) return Errno::inval;
    if (path.mount().read_only()) return Errno::rofs;
    Inode& inode = inode_of(path);
    TRY(check_permission(inode.ownership(), who.credentials, kMayWrite));
    if (inode.ownership().append_only) return Errno::perm;
    if (file_leases.relaxed()) TRY(break_leases(inode, kOpenWriteOnly));
    TRY(truncate_for(who, inode, size));
    happened(path, kFileWritten);
    return {};
}

// Other threads, and readers of /proc, look at them meanwhile.
namespace {
constinit SpinLock places{LockRank::process};
}

Path working_directory(const FsContext& who) {
    LockGuard guard(places);
    return who.cwd;
}
Path root_directory(const FsContext& who) {
    LockGuard guard(places);
    return who.root;
}

Result<void> vfs_chdir(FsContext& who, const Path& path) {
    if (!path.dentry().is_directory()) return Errno::notdir;
    TRY(check_permission(inode_of(path).ownership(), who.credentials, kMayExecute));
    Path now = path;  // the old one is dropped after the lock
    LockGuard guard(places);
    std::swap(who.cwd, now);
    return {};
}

Result<void> vfs_chroot(FsContext& who, const Path& path) {
    if (!path.dentry().is_directory()) return Errno::notdir;
    TRY(check_permission(inode_of(path).ownership(), who.credentials, kMayExecute));
    if (!who.credentials.may(Capability::sys_chroot)) return Errno::perm;
    Path now = path;
    LockGuard guard(places);
    std::swap(who.root, now);
    return {};
}
