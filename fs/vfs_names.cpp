// Calls that add and remove names: see vfs.hpp.
// Spec: mkdir(2), mknod(2), unlink(2), rmdir(2), link(2), symlink(2).
#include "fs/file_events.hpp"
#include "fs/new_name.hpp"

namespace {

Result<void> may_change(const FsContext& who, const Mount& mount, Dentry& directory) {
    if (mount.read_only()) return Errno::rofs;
    if (directory.removed()) return Errno::noent;
    return check_permission(directory.inode()->ownership(), who.credentials,
                            kMayWrite | kMayExecute);
}

// Finds a free name, checks, and lets `make` create the inode: make(directory, name, owner).
template <typename Make>
Result<void> add_name(const FsContext& who, const Path& base, std::string_view name, bool directory,
                      Make&& make) {
    Walk walk(who);
    TRY(walk.to_last(base, name));
    if (walk.last_kind() != Walk::Last::name) return Errno::exist;
    if (walk.last().size() > kMaxName) return Errno::nametoolong;
    Dentry& parent = walk.directory();
    if (!parent.is_directory()) return Errno::notdir;
    TRY(check_permission(parent.inode()->ownership(), who.credentials, kMayExecute));
    LockGuard guard(parent.inode()->names);
    Ref<Dentry> child = TRY(dentry_lookup_locked(parent, walk.last()));
    if (!child->is_negative()) return Errno::exist;
    if (walk.trailing_slash() && !directory) return Errno::noent;
    NewOwner owner = TRY(may_create(who, walk.mount(), parent));
    Ref<Inode> inode = TRY(make(walk, owner));
    dentry_set_inode(*child, std::move(inode));
    happened_in(parent, walk.last(), kNameMade, directory);
    return {};
}

template <typename Remove>
Result<void> remove_name(const FsContext& who, Walk& walk, bool directory, Remove&& remove) {
    if (walk.mount().read_only()) return Errno::rofs;
    Dentry& parent = walk.directory();
    if (!parent.is_directory()) return Errno::notdir;
    TRY(check_permission(parent.inode()->ownership(), who.credentials, kMayExecute));
    LockGuard guard(parent.inode()->names);
    Ref<Dentry> child = TRY(dentry_lookup_locked(parent, walk.last()));
    if (child->is_negative()) return Errno::noent;
    if (walk.trailing_slash() && !child->is_directory()) return Errno::notdir;
    TRY(may_remove(who, walk.mount(), parent, *child, directory));
    TRY(remove(parent, *child));
    dentry_remove(*child);
    if (!directory) happened_to(*child, kFileChanged);  // has a link less
    happened_in(parent, walk.last(), kNameRemoved, directory);
    return {};
}

}  // namespace

Result<NewOwner> may_create(const FsContext& who, const Mount& mount, Dentry& directory) {
    TRY(may_change(who, mount, directory));
    NewOwner owner(who.credentials);
    Ownership above = directory.inode()->ownership();
    if (above.mode & kModeSetGid) owner.set_group(above.gid);
    return owner;
}

Result<void> may_remove(const FsContext& who, const Mount& mount, Dentry& directory, Dentry& victim,
                        bool wants_directory) {
    TRY(may_change(who, mount, directory));
    Ownership above = directory.inode()->ownership();
    uint32_t uid = who.credentials.fsuid;
    if ((above.mode & kModeSticky) && uid != above.uid && uid != victim.inode()->ownership().uid &&
        !who.credentials.may(Capability::fowner))
        return Errno::perm;
    if (above.append_only || victim.inode()->ownership().is_protected()) return Errno::perm;
    if (wants_directory && !victim.is_directory()) return Errno::notdir;
    if (!wants_directory && victim.is_directory()) return Errno::isdir;
    if (victim.covered) return Errno::busy;
    return {};
}

Result<void> vfs_mkdir(const FsContext& who, const Path& base, std::string_view name,
                       uint32_t mode) {
    return add_name(who, base, name, true, [&](Walk& walk, NewOwner& owner) {
        uint32_t bits = (mode & 01777 & ~who.umask) | (owner.inherits_group() ? kModeSetGid : 0);
        return walk.directory().inode()->create_child(walk.last(), kTypeDirectory | bits,
                                                      owner.credentials(), 0);
    });
}

Result<void> vfs_mknod(const FsContext& who, const Path& base, std::string_view name, uint32_t mode,
                       uint32_t device) {
    uint32_t type = mode & kTypeMask;
    if (type == 0) type = kTypeRegular;
    if (type == kTypeDirectory) return Errno::perm;
    const bool special = type == kTypeCharacter || type == kTypeBlock;
    if (!special && type != kTypeRegular && type != kTypeFifo && type != kTypeSocket)
        return Errno::inval;
    if (special && !who.credentials.may(Capability::mknod)) return Errno::perm;
    return add_name(who, base, name, false, [&](Walk& walk, NewOwner& owner) {
        return walk.directory().inode()->create_child(
            walk.last(), type | (owner.mode(mode & 07777) & ~who.umask), owner.credentials(),
            special ? device : 0);
    });
}

Result<void> vfs_symlink(const FsContext& who, std::string_view target, const Path& base,
                         std::string_view name) {
    if (target.empty()) return Errno::noent;
    if (target.size() >= kMaxPath) return Errno::nametoolong;
    return add_name(who, base, name, false, [&](Walk& walk, NewOwner& owner) {
        return walk.directory().inode()->create_symlink(walk.last(), target, owner.credentials());
    });
}

namespace {
// Others' files get a new name only from those who could change them anyway, lest a set-user-id program
// with a known fault be kept. Spec: proc(5), /proc/sys/fs/protected_hardlinks.
Result<void> may_link(const FsContext& who, const Attributes& file, const Ownership& owner) {
    if (who.credentials.may(Capability::fowner) || who.credentials.fsuid == file.uid) return {};
    const bool gives_rights =
        (file.mode & kModeSetUid) || ((file.mode & kModeSetGid) && (file.mode & 010));
    const bool is_safe = file.is_regular() && !gives_rights &&
                         check_permission(owner, who.credentials, kMayRead | kMayWrite).is_ok();
    return is_safe ? Result<void>() : Errno::perm;
}
}  // namespace

Result<void> vfs_link(const FsContext& who, const Path& old_base, std::string_view old_name,
                      const Path& new_base, std::string_view new_name, Follow follow) {
    const Path file = TRY(resolve(who, old_base, old_name, follow));
    return vfs_link_file(who, file, new_base, new_name);
}

Result<void> vfs_link_file(const FsContext& who, const Path& file, const Path& base,
                           std::string_view name) {
    return add_name(who, base, name, false, [&](Walk& walk, NewOwner&) -> Result<Ref<Inode>> {
        if (!file || &walk.mount() != &file.mount()) return Errno::xdev;
        if (file.dentry().is_directory() || inode_of(file).ownership().is_protected())
            return Errno::perm;
        Ref<Inode> inode(inode_of(file));
        TRY(may_link(who, inode->attributes(), inode->ownership()));
        if (!inode->may_be_named.relaxed() && inode->attributes().links == 0) return Errno::noent;
        TRY(walk.directory().inode()->link_child(walk.last(), *inode));
        inode->may_be_named.store_relaxed(false);
        happened_to(file.dentry(), kFileChanged);
        return inode;
    });
}

Result<void> vfs_unlink(const FsContext& who, const Path& base, std::string_view name) {
    Walk walk(who);
    TRY(walk.to_last(base, name));
    if (walk.last_kind() != Walk::Last::name) return Errno::isdir;
    return remove_name(who, walk, false, [&](Dentry& parent, Dentry& child) {
        return parent.inode()->remove_child(walk.last(), *child.inode(), false);
    });
}

Result<void> vfs_rmdir(const FsContext& who, const Path& base, std::string_view name) {
    Walk walk(who);
    TRY(walk.to_last(base, name));
    switch (walk.last_kind()) {
        case Walk::Last::dot: return Errno::inval;
        case Walk::Last::dot_dot: return Errno::notempty;
        case Walk::Last::root: return Errno::busy;
        case Walk::Last::name: break;
    }
    return remove_name(who, walk, true, [&](Dentry& parent, Dentry& child) {
        // Nothing may be created in it while its emptiness is looked at; its `removed` is set
        // before this lock is taken by anybody who waits for it.
        LockGuard guard(child.inode()->names);
        Result<void> done = parent.inode()->remove_child(walk.last(), *child.inode(), true);
        if (done.is_ok()) dentry_remove(child);
        return done;
    });
}
