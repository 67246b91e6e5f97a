// open(2): see vfs.hpp.
// Spec: open(2), Linux; flags that only concern the opening are not kept in the file.
#include "fs/devices.hpp"
#include "fs/fifo_hook.hpp"
#include "fs/file_events.hpp"
#include "fs/lookup.hpp"
#include "fs/new_name.hpp"

namespace {

constexpr uint32_t kOpenOnce =
    kOpenCreate | kOpenExclusive | kOpenNoTty | kOpenTruncate | kOpenCloseOnExec;
constexpr uint64_t kLargestSmallFile = 0x7fffffff;

Result<void> check_open(const FsContext& who, const Path& path, const Attributes& file,
                        const Ownership& owner, uint32_t flags, bool created) {
    const uint32_t access = flags & kOpenAccessMode;
    const bool writes = access != kOpenReadOnly || (flags & kOpenTruncate);
    if (file.is_symlink()) return (flags & kOpenDirectory) ? Errno::notdir : Errno::loop;
    if (file.is_directory() ? writes : (flags & kOpenDirectory) != 0)
        return file.is_directory() ? Errno::isdir : Errno::notdir;
    if (!created) {
        uint32_t wanted = (access != kOpenWriteOnly ? kMayRead : 0) | (writes ? kMayWrite : 0);
        TRY(check_permission(owner, who.credentials, wanted));
    }
    if (owner.append_only && writes && (!(flags & kOpenAppend) || (flags & kOpenTruncate)))
        return Errno::perm;
    if (file.is_regular() && writes && path.mount().read_only()) return Errno::rofs;
    if (file.is_regular() && file.size > kLargestSmallFile && !(flags & kOpenLargeFile))
        return Errno::overflow;
    if ((flags & kOpenNoAtime) && who.credentials.fsuid != file.uid &&
        !who.credentials.may(Capability::fowner))
        return Errno::perm;
    return {};
}

Result<Ref<File>> open_inode(const Path& path, Inode& inode, uint32_t type, uint32_t flags) {
    switch (type) {
        case kTypeCharacter:
        case kTypeBlock:
            if (path.mount().flags & kMountNoDevices) return Errno::acces;
            return open_device(inode, flags);
        case kTypeFifo:
            if (!open_fifo) return Errno::nxio;
            return open_fifo(inode, flags);
        case kTypeSocket: return Errno::nxio;
        default: return inode.open(flags);
    }
}

// ETXTBSY: it is to be written to, and runs.
Result<Ref<File>> open_counted(Path path, Inode& inode, uint32_t type, uint32_t flags) {
    const bool writes = type == kTypeRegular && (flags & kOpenAccessMode) != kOpenReadOnly;
    if (writes) TRY(inode.begin_writing());
    Result<Ref<File>> file = open_inode(path, inode, type, flags);
    if (file.is_ok()) {
        file.value()->set_flags(flags & ~kOpenOnce);
        file.value()->set_path(std::move(path));
    } else if (writes) {
        inode.end_writing();
    }
    return file;
}

// What chattr(1) protects: files and folders only, and others are slow to tell.
Ownership ownership_of(Inode& inode, const Attributes& file) {
    const bool protectable = file.is_regular() || file.is_directory();
    return protectable ? inode.ownership() : Ownership{file.mode, file.uid, file.gid};
}

Result<Ref<File>> open_found(const FsContext& who, Path path, uint32_t flags, bool created) {
    Inode& inode = inode_of(path);
    if (flags & kOpenPath) {
        if ((flags & kOpenDirectory) && !path.dentry().is_directory()) return Errno::notdir;
        flags &= kOpenPath | kOpenDirectory | kOpenNoFollow;
        Ref<File> place = TRY(make_ref<PathFile>(flags, inode));
        place->set_path(std::move(path));
        return place;
    }
    if ((flags & kOpenAccessMode) == kOpenAccessMode) return Errno::inval;
    const Attributes attributes = inode.attributes();
    TRY(check_open(who, path, attributes, ownership_of(inode, attributes), flags, created));
    if (file_leases.relaxed()) TRY(break_leases(inode, flags));
    const uint32_t type = path.dentry().type();
    Ref<File> file = TRY(open_counted(std::move(path), inode, type, flags));
    if (flags & kOpenDirect && !file->may_be_direct()) return Errno::inval;
    if ((flags & kOpenTruncate) && !created && type == kTypeRegular) {
        TRY(truncate_for(who, inode, 0));
        happened(file->path(), kFileWritten);
    }
    happened(file->path(), kFileOpened);
    return file;
}

// The name was not there a moment ago. Null: it is there now.
Result<Path> create_file(const FsContext& who, Walk& walk, uint32_t mode) {
    if (walk.trailing_slash()) return Errno::isdir;
    Dentry& directory = walk.directory();
    LockGuard guard(directory.inode()->names);
    Ref<Dentry> child = TRY(dentry_lookup_locked(directory, walk.last()));
    if (!child->is_negative()) return Path();
    NewOwner owner = TRY(may_create(who, walk.mount(), directory));
    Ref<Inode> inode = TRY(directory.inode()->create_child(
        walk.last(), kTypeRegular | (owner.mode(mode & 07777) & ~who.umask), owner.credentials(),
        0));
    dentry_set_inode(*child, std::move(inode));
    happened_in(directory, walk.last(), kNameMade, false);
    return Path(Ref<Mount>(walk.mount()), std::move(child));
}

// Spec: O_TMPFILE in open(2).
Result<Ref<File>> open_nameless(const FsContext& who, const Path& base, std::string_view name,
                                uint32_t flags, uint32_t mode) {
    if (!(flags & kOpenDirectory) || (flags & kOpenCreate) ||
        (flags & kOpenAccessMode) == kOpenReadOnly || (flags & kOpenAccessMode) == kOpenAccessMode)
        return Errno::inval;
    const Path directory =
        TRY(resolve(who, base, name, flags & kOpenNoFollow ? Follow::no : Follow::yes));
    Dentry& parent = directory.dentry();
    if (!parent.is_directory()) return Errno::notdir;
    NewOwner owner = TRY(may_create(who, directory.mount(), parent));
    Ref<Inode> inode = TRY(parent.inode()->create_nameless(
        kTypeRegular | (owner.mode(mode & 07777) & ~who.umask), owner.credentials()));
    inode->may_be_named.store_relaxed(!(flags & kOpenExclusive));
    const Path path(Ref<Mount>(directory.mount()), TRY(Dentry::create_nameless(parent, inode)));
    Ref<File> file = TRY(open_counted(path, *inode, kTypeRegular, flags));
    if (flags & kOpenDirect && !file->may_be_direct()) return Errno::inval;
    happened(path, kFileOpened);
    return file;
}

}  // namespace

Result<Ref<File>> vfs_open(const FsContext& who, const Path& base, std::string_view name,
                           uint32_t flags, uint32_t mode) {
    if (flags & kOpenPath) flags &= ~(kOpenCreate | kOpenExclusive | kOpenTruncate);
    if ((flags & kOpenNameless) && !(flags & kOpenPath))
        return open_nameless(who, base, name, flags, mode);
    const bool create = flags & kOpenCreate;
    const bool exclusive = create && (flags & kOpenExclusive);
    if (create && (flags & kOpenDirectory)) return Errno::inval;
    const Follow follow = exclusive || (flags & kOpenNoFollow) ? Follow::no : Follow::yes;
    for (;;) {
        Walk walk(who);
        if (!(flags & kOpenPath)) walk.may_open(flags);
        TRY(walk.to_last(base, name));
        if (create && walk.trailing_slash()) return Errno::isdir;
        if (TRY(walk.find_last(follow))) {
            if (walk.magic_file()) return std::move(walk.magic_file());
            if (exclusive) return Errno::exist;
            if (create && walk.found().is_directory()) return Errno::isdir;
            return open_found(who, walk.found_path(), flags, false);
        }
        if (!create) return Errno::noent;
        Path fresh = TRY(create_file(who, walk, mode));
        if (fresh) return open_found(who, std::move(fresh), flags, true);
        // Another thread made it in between: look again.
    }
}

Result<Ref<File>> open_path(const FsContext& who, const Path& path, uint32_t flags) {
    return open_found(who, path, flags, false);
}
