// mount(2) and umount2(2). See vfs.hpp. There is one name space, and no propagation: all mounts are
// private.
#include "drivers/block.hpp"
#include "fs/detached_mounts.hpp"
#include "kernel/lib/log.hpp"
#include "kernel/lib/preemption.hpp"
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
        preemption_point();  // only `mount_table` is held
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
    Mounts copied;  // the copies of which are in `copies`, from `first` on
    const uint32_t first = copies.size();
    const Mount* mount = &from;
    const Dentry* part = &top;
    Mount* under = &onto;
    for (uint32_t next = 0;; ++next) {
        Mounts found = TRY(mounts_on(*mount, *part));
        for (Ref<Mount>& on : found) {
            Path place(Ref<Mount>(*under), Ref<Dentry>(on->place().dentry()));
            TRY(copies.push_back(TRY(copy_mount(*on, *on->root, std::move(place)))));
            TRY(copied.push_back(std::move(on)));
        }
        if (next == copied.size()) return {};
        mount = copied[next].get();
        part = mount->root.get();
        under = copies[first + next].get();
    }
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

// Not attached yet. Without a place it is a detached one.
Result<Ref<Mount>> make_mount(const FsContext& who, std::string_view source, Path place,
                              FileSystemType* type, uint32_t flags, std::string_view options) {
    std::string_view what = source;
    Ref<Mount> other;
    BlockDevice* device = nullptr;
    clear_mount_refusals();
    if (type->needs_device) {
        if (source.empty()) return refuse_mount(Errno::inval, "{}: no source", type->name);
        device = TRY(device_named(who, source));
        TRY(device->prepare());
        what = device->name();
        other = TRY(find_mounted([&](FileSystem& fs) {
            return fs.type_name() == type->name && fs.device_number() == device->device_number();
        }));
    }
    if (place && !is_directory(place)) return Errno::notdir;
    // A disc that can only be read needs not be told so.
    const bool only_read = device && device->refuses_writes() && !device->removable();
    if (only_read && !(flags & kMountReadOnly)) return Errno::acces;
    auto on_itself = [&](FileSystem* fs) {
        return place && is_top(place) && place.mount().file_system.get() == fs;
    };
    Ref<FileSystem> fs;
    if (other) {
        fs = other->file_system;
        if (on_itself(fs.get())) return Errno::busy;
        if (!fs->read_only() && (flags & kMountReadOnly)) return Errno::busy;
        if (fs->read_only() && !(flags & kMountReadOnly)) TRY(fs->set_read_only(false));
    } else {
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
        if (on_itself(fs.get())) return Errno::busy;
    }
    Ref<Dentry> top = other ? other->root : TRY(Dentry::create_root(fs->root()));
    while (Ref<Dentry> up = dentry_parent(*top)) top = up;
    String from = TRY(String::from(source));
    return make_ref<Mount>(std::move(fs), std::move(top), std::move(place), kept_mount_flags(flags),
                           std::move(from));
}

Result<void> mount_fresh(const FsContext& who, std::string_view source, Path place,
                         std::string_view type_name, uint32_t flags, std::string_view options) {
    if (type_name.empty()) return Errno::inval;
    FileSystemType* type = find_file_system_type(type_name);
    if (!type) return Errno::nodev;
    Ref<Mount> mount = TRY(make_mount(who, source, std::move(place), type, flags, options));
    attach_mounts({&mount, 1});
    return {};
}

// The mount and all that lies on it.
Result<Mounts> whole_tree(Ref<Mount> top) {
    Mounts tree;
    TRY(tree.push_back(std::move(top)));
    for (uint32_t i = 0; i < tree.size(); ++i) {
        Mounts found = TRY(mounts_on(*tree[i], *tree[i]->root));
        for (Ref<Mount>& mount : found) TRY(tree.push_back(std::move(mount)));
    }
    return tree;
}

bool is_detached(const Mount& mount) { return !mount.id && !mount.place(); }

bool is_bare(const Mount& mount) {
    LockGuard guard(dentry_lock);
    for (const Mount& other : mounts)
        if (other.place_locked() && &other.place_locked().mount() == &mount) return false;
    return true;
}

// Names lead there: it lies, at last, on a root, which is one of the mounts though it has no place.
bool is_attached(const Mount& mount) {
    LockGuard guard(dentry_lock);
    const Mount* top = &mount;
    while (top->place_locked()) top = &top->place_locked().mount();
    for (const Mount& other : mounts)
        if (&other == top) return true;
    return false;
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
    if (!is_attached(place.mount())) return Errno::inval;
    if (flags & kMountRemount) return remount(place, flags);
    if (flags & (kMountShared | kMountPrivate | kMountSlave | kMountUnbindable))
        return change_propagation(place, flags);
    if (place.dentry().removed()) return Errno::noent;
    if (flags & (kMountBind | kMountMove)) {
        if (source.empty()) return Errno::inval;
        const Path from = TRY(resolve(who, who.cwd, source, Follow::yes));
        if (!is_attached(from.mount())) return Errno::inval;
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
        if (!is_top(place) || !is_attached(place.mount())) return Errno::inval;
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
    if (flags & kUnmountDetach) {
        Mounts leaving = TRY(whole_tree(std::move(mount)));
        detach_mounts(leaving.span());
        return {};
    }
    if (!TRY(mounts_on(*mount, *mount->root)).empty()) return Errno::busy;
    // The table's reference and ours.
    if (mount->ref_count() > 2) return Errno::busy;
    if ((flags & kUnmountExpire) && !mount->expire()) return Errno::again;
    detach_mounts({&mount, 1});
    return {};
}

// --- detached mounts

Result<Ref<Mount>> make_detached(const FsContext& who, FileSystemType& type,
                                 std::string_view source, uint32_t flags, std::string_view options,
                                 TextSink& refusal) {
    LockGuard guard(mount_table);
    Result<Ref<Mount>> made = make_mount(who, source, Path(), &type, flags, options);
    if (made.is_error())
        refusal.put(mount_refusals());
    else
        keep_detached(*made.value());
    return made;
}

Result<Ref<Mount>> clone_detached(const Path& from, bool recursive) {
    LockGuard guard(mount_table);
    if (!is_attached(from.mount())) return Errno::inval;
    Ref<Mount> top = TRY(copy_mount(from.mount(), from.dentry(), Path()));
    Mounts copies;
    if (recursive) TRY(copy_mounts_on(from.mount(), from.dentry(), *top, copies));
    attach_mounts(copies.span());
    keep_detached(*top);
    return top;
}

void drop_detached(Ref<Mount> mount) {
    if (!is_detached(*mount)) return;
    static_cast<void>(mount->file_system->sync());
    // Who lets go of the last descriptor may hold mount_table, but not of one with others on it.
    if (is_bare(*mount)) return;
    LockGuard guard(mount_table);
    if (!is_detached(*mount)) return;
    // One at a time, from the outside: this cannot lack memory.
    for (Mount* outer = mount.get();; outer = mount.get()) {
        for (bool further = true; further;) {
            preemption_point();
            further = false;
            for (Mount& other : mounts)
                if (&other != outer && is_within(other, *outer)) further = (outer = &other);
        }
        if (outer == mount.get()) return;
        Ref<Mount> leaving(*outer);
        detach_mounts({&leaving, 1});
    }
}

Result<void> move_mount_to(const Path& from, const Path& to) {
    LockGuard guard(mount_table);
    if (to.dentry().removed()) return Errno::noent;
    if (!is_attached(to.mount())) return Errno::inval;
    if (!is_detached(from.mount()))
        return is_attached(from.mount()) ? move(from, to) : Errno::inval;
    if (!is_top(from) || is_directory(from) != is_directory(to)) return Errno::inval;
    place_detached(from.mount(), to);
    return {};
}

Result<void> set_file_system_read_only(FileSystem& file_system, bool read_only) {
    LockGuard guard(mount_table);
    if (!TRY(find_mounted([&](FileSystem& there) { return &there == &file_system; })))
        return Errno::inval;
    if (read_only) {
        TRY(make_read_only(file_system));
    } else {
        TRY(file_system.set_read_only(false));
        if (file_system.read_only()) return Errno::rofs;
    }
    // What has no disk leaves it to its mounts.
    const FileSystemType* type = find_file_system_type(file_system.type_name());
    if (type && type->needs_device) return {};
    for (Mount& mount : mounts)
        if (mount.file_system.get() == &file_system)
            mount.flags = (mount.flags & ~kMountReadOnly) | (read_only ? kMountReadOnly : 0);
    return {};
}

Result<void> change_mount_flags(const Path& top, uint32_t clear, uint32_t set, bool recursive) {
    LockGuard guard(mount_table);
    Mount& first = top.mount();
    if (!is_top(top) || !(is_detached(first) || is_attached(first))) return Errno::inval;
    Mounts changed;
    if (recursive)
        changed = TRY(whole_tree(Ref<Mount>(first)));
    else
        TRY(changed.push_back(Ref<Mount>(first)));
    if (set & kMountReadOnly)
        for (const Ref<Mount>& mount : changed)
            if (mount->writers.relaxed()) return Errno::busy;
    for (const Ref<Mount>& mount : changed) mount->flags = (mount->flags & ~clear) | set;
    return {};
}
