// mount(2) and umount2(2). See vfs.hpp. There is one name space, and no propagation: all mounts are
// private.
#include "drivers/block.hpp"
#include "fs/mount.hpp"
#include "kernel/lib/log.hpp"
#include "kernel/lib/vector.hpp"

namespace {

using Mounts = Vector<Ref<Mount>>;

// One of such a file system that there is already, so that two mounts of it agree. EBUSY: it is just
// being finished.
template <typename F>
Result<Ref<Mount>> find_mounted(F&& matches) {
    LockGuard guard(dentry_lock);
    for (auto* list : {&mounts, &leaving_mounts})
        for (Mount& mount : *list) {
            if (!matches(*mount.file_system)) continue;
            if (!mount.try_add_ref()) return Errno::busy;
            return Ref<Mount>::adopt(&mount);
        }
    return Ref<Mount>();
}

bool is_top(const Path& place) { return &place.dentry() == place.mount().root.get(); }
bool is_directory(const Path& place) { return place.dentry().is_directory(); }

uint32_t writers_of(const FileSystem& file_system) {
    uint32_t writers = 0;
    for (Mount& mount : mounts)
        if (mount.file_system.get() == &file_system) writers += mount.writers.relaxed();
    return writers;
}

Result<void> make_read_only(FileSystem& file_system) {
    if (file_system.read_only()) return {};
    forget_dentries(file_system);  // files that only they keep can still go
    TRY(file_system.sync());
    if (writers_of(file_system) || file_system.has_nameless_files()) return Errno::busy;
    return file_system.set_read_only(true);
}

Result<void> remount(const Path& target, uint32_t flags) {
    if (!is_top(target)) return Errno::inval;
    Mount& mount = target.mount();
    const bool read_only = flags & kMountReadOnly;
    if (flags & kMountBind) {  // only what is seen through this mount
        if (read_only && mount.writers.relaxed()) return Errno::busy;
    } else if (read_only) {
        TRY(make_read_only(*mount.file_system));
    } else if (mount.file_system->read_only()) {
        TRY(mount.file_system->set_read_only(false));
        if (mount.file_system->read_only()) return Errno::rofs;
    }
    mount.flags = kept_remount_flags(mount.flags, flags);
    return {};
}

bool is_below(const Dentry& dentry, const Dentry& top) REQUIRES(dentry_lock) {
    const Dentry* at = &dentry;
    while (at && at != &top) at = at->parent_locked();
    return at != nullptr;
}
bool is_within(const Mount& mount, const Mount& top) {
    LockGuard guard(dentry_lock);
    const Mount* at = &mount;
    while (at != &top && at->place_locked()) at = &at->place_locked().mount();
    return at == &top;
}

// Those directly on a place in the part of `mount` that begins at `top`.
Result<Mounts> mounts_on(const Mount& mount, const Dentry& top) {
    Mounts found;
    for (Mount& other : mounts) {
        bool on;
        {
            LockGuard guard(dentry_lock);
            const Path& place = other.place_locked();
            on = place && &place.mount() == &mount && is_below(place.dentry(), top);
        }
        if (on) TRY(found.push_back(Ref<Mount>(other)));
    }
    return found;
}

Result<Ref<Mount>> copy_mount(const Mount& of, Dentry& top, Path place) {
    String source = TRY(String::from(of.source.view()));
    return make_ref<Mount>(of.file_system, Ref<Dentry>(top), std::move(place), of.flags,
                           std::move(source));
}

// Copies what lies on the part of `from` that begins at `top` onto `onto`, and what lies on that.
Result<void> copy_mounts_on(Mount& from, const Dentry& top, Mount& onto, Mounts& copies) {
    Mounts found = TRY(mounts_on(from, top));
    for (Ref<Mount>& mount : found) {
        Path place(Ref<Mount>(onto), Ref<Dentry>(mount->place().dentry()));
        Ref<Mount> copy = TRY(copy_mount(*mount, *mount->root, std::move(place)));
        TRY(copies.push_back(copy));
        TRY(copy_mounts_on(*mount, *mount->root, *copy, copies));
    }
    return {};
}

Result<void> bind(const Path& from, const Path& target, bool recursive) {
    if (is_directory(from) != is_directory(target)) return Errno::notdir;
    Mounts fresh;
    TRY(fresh.push_back(TRY(copy_mount(from.mount(), from.dentry(), target))));
    if (recursive) {
        Ref<Mount> first = fresh[0];
        TRY(copy_mounts_on(from.mount(), from.dentry(), *first, fresh));
    }
    attach_mounts(fresh.span());
    return {};
}

Result<void> move(const Path& from, const Path& target) {
    if (!is_top(from) || !from.mount().place()) return Errno::inval;
    if (is_directory(from) != is_directory(target)) return Errno::inval;
    if (is_within(target.mount(), from.mount())) return Errno::loop;
    Path old_place = target;
    LockGuard guard(dentry_lock);
    old_place = from.mount().set_place_locked(std::move(old_place));
    return {};
}

// All mounts are private, and slaves of nothing are private too.
Result<void> change_propagation(const Path& target, uint32_t flags) {
    const uint32_t kind = flags & ~(kMountRecursive | kMountSilent);
    if (!is_top(target) || (kind != kMountPrivate && kind != kMountSlave)) return Errno::inval;
    return {};
}

Result<void> mount_fresh(const FsContext& who, std::string_view source, Path place,
                         std::string_view type_name, uint32_t flags, std::string_view options) {
    if (type_name.empty()) return Errno::inval;
    FileSystemType* type = find_file_system_type(type_name);
    if (!type) return Errno::nodev;
    std::string_view what = source;
    Ref<Mount> other;
    BlockDevice* device = nullptr;
    if (type->needs_device) {
        device = TRY(device_named(who, source));
        TRY(device->prepare());
        what = device->name();
        other = TRY(find_mounted([&](FileSystem& fs) {
            return fs.type_name() == type->name && fs.device_number() == device->device_number();
        }));
    }
    if (!is_directory(place)) return Errno::notdir;
    // A disc that can only be read needs not be told so.
    const bool only_read = device && device->refuses_writes() && !device->removable();
    if (only_read && !(flags & kMountReadOnly)) return Errno::acces;
    Ref<FileSystem> fs;
    if (other) {
        fs = other->file_system;
        if (is_top(place) && place.mount().file_system == fs) return Errno::busy;
        if (!fs->read_only() && (flags & kMountReadOnly)) return Errno::busy;
        if (fs->read_only() && !(flags & kMountReadOnly)) TRY(fs->set_read_only(false));
    } else {
        clear_mount_refusals();
        if (device) device->opened();
        Result<Ref<FileSystem>> fresh = type->mount(what, flags, options);
        if (fresh.is_error()) {
            if (device) device->closed();
            if (!mount_refusals().empty()) log_error("{}", mount_refusals());
            return fresh.error();
        }
        fs = fresh.release_value();
        // Of some types there is only one, for all mounts.
        other = TRY(find_mounted([&](FileSystem& there) { return &there == fs.get(); }));
        if (is_top(place) && place.mount().file_system == fs) return Errno::busy;
    }
    Ref<Dentry> top = other ? other->root : TRY(Dentry::create_root(fs->root()));
    while (Ref<Dentry> up = dentry_parent(*top)) top = up;
    String from = TRY(String::from(source));
    Ref<Mount> mount = TRY(make_ref<Mount>(std::move(fs), std::move(top), std::move(place),
                                           kept_mount_flags(flags), std::move(from)));
    attach_mounts({&mount, 1});
    return {};
}

Result<void> unmount_all_below(Ref<Mount> top) {
    Mounts leaving;
    TRY(leaving.push_back(std::move(top)));
    for (uint32_t i = 0; i < leaving.size(); ++i) {
        Mounts found = TRY(mounts_on(*leaving[i], *leaving[i]->root));
        for (Ref<Mount>& mount : found) TRY(leaving.push_back(std::move(mount)));
    }
    detach_mounts(leaving.span());
    return {};
}

}  // namespace

Result<BlockDevice*> device_named(const FsContext& who, std::string_view source) {
    Path node = TRY(resolve(who, who.cwd, source, Follow::yes));
    Attributes attributes = inode_of(node).attributes();
    if ((attributes.mode & kTypeMask) != kTypeBlock) return Errno::notblk;
    for (BlockDevice& device : block_devices())
        if (device.device_number() == attributes.special_device) return &device;
    return Errno::nxio;
}

Result<void> vfs_mount(const FsContext& who, std::string_view source, std::string_view target,
                       std::string_view type_name, uint32_t flags, std::string_view options) {
    LockGuard guard(mount_table);
    Path place = TRY(resolve(who, who.cwd, target, Follow::yes));
    if (!who.credentials.may(Capability::sys_admin)) return Errno::perm;
    if (flags & kMountRemount) return remount(place, flags);
    if (flags & (kMountShared | kMountPrivate | kMountSlave | kMountUnbindable))
        return change_propagation(place, flags);
    if (place.dentry().removed()) return Errno::noent;
    if (flags & (kMountBind | kMountMove)) {
        if (source.empty()) return Errno::inval;
        const Path from = TRY(resolve(who, who.cwd, source, Follow::yes));
        if (flags & kMountBind) return bind(from, place, flags & kMountRecursive);
        return move(from, place);
    }
    return mount_fresh(who, source, std::move(place), type_name, flags, options);
}

Result<void> vfs_unmount(const FsContext& who, std::string_view target, uint32_t flags) {
    LockGuard table_guard(mount_table);
    Ref<Mount> mount;
    {
        const Path place =
            TRY(resolve(who, who.cwd, target, flags & kUnmountNoFollow ? Follow::no : Follow::yes));
        if (!who.credentials.may(Capability::sys_admin)) return Errno::perm;
        if (!is_top(place)) return Errno::inval;
        mount = Ref<Mount>(place.mount());
    }
    const bool is_root = mount.get() == &who.root.mount();
    if (flags & kUnmountExpire) {
        if (is_root || (flags & (kUnmountForce | kUnmountDetach))) return Errno::inval;
    }
    if (!mount->place()) {  // the root of everything never goes; Linux makes it read-only too
        return flags & kUnmountDetach ? Result<void>(Errno::inval)
                                      : make_read_only(*mount->file_system);
    }
    TRY(mount->file_system->sync());
    if (flags & kUnmountDetach) return unmount_all_below(std::move(mount));
    if (!TRY(mounts_on(*mount, *mount->root)).empty()) return Errno::busy;
    // The table's reference and ours.
    if (mount->ref_count() > 2) return Errno::busy;
    if ((flags & kUnmountExpire) && !mount->expire()) return Errno::again;
    detach_mounts({&mount, 1});
    return {};
}
