// See mount.hpp, and vfs.hpp for the calls.
#include "fs/mount.hpp"

#include "drivers/block.hpp"
#include "kernel/lib/log.hpp"

namespace {

constinit Mutex mount_table{LockRank::mount_table};
constinit List<Mount, &Mount::node> mounts;  // oldest first; also under dentry_lock
constinit FileSystemType* types = nullptr;
constinit char refusals[600] = {};
constinit size_t refusals_size = 0;
constinit uint32_t last_anonymous_device = 0;

void clear_refusals() { refusals_size = 0; }

FileSystemType* find_type(std::string_view name) {
    for (FileSystemType* type = types; type; type = type->next)
        if (type->name == name) return type;
    return nullptr;
}

// The tree of a file system that is mounted already, so that two mounts of a disk agree.
bool find_mounted(std::string_view type, uint32_t device, Ref<FileSystem>& fs, Ref<Dentry>& top) {
    for (Mount& mount : mounts) {
        if (mount.file_system->type_name() != type || mount.file_system->device_number() != device)
            continue;
        fs = mount.file_system;
        top = mount.root;
        while (Ref<Dentry> up = dentry_parent(*top)) top = up;
        return true;
    }
    return false;
}

Result<Ref<Mount>> add_mount(Ref<FileSystem> fs, Ref<Dentry> top, Path place, uint32_t flags,
                             std::string_view source) {
    String from = TRY(String::from(source));
    Ref<Mount> mount = TRY(
        make_ref<Mount>(std::move(fs), std::move(top), std::move(place), flags, std::move(from)));
    LockGuard guard(dentry_lock);
    mount->add_ref();
    mounts.push_back(*mount);
    if (mount->place) ++mount->place.dentry().covered;
    return mount;
}

Result<void> remount(const Path& target, uint32_t flags) {
    if (&target.dentry() != target.mount().root.get()) return Errno::inval;
    FileSystem& fs = *target.mount().file_system;
    const bool read_only = flags & kMountReadOnly;
    if (read_only || fs.read_only()) TRY(fs.set_read_only(read_only));
    if (!read_only && fs.read_only()) return Errno::rofs;
    target.mount().flags = flags & kMountFlagsKept;
    return {};
}

Result<void> bind(const FsContext& who, std::string_view source, const Path& target) {
    Path from = TRY(resolve(who, who.cwd, source, Follow::yes));
    if (from.dentry().is_directory() != target.dentry().is_directory()) return Errno::notdir;
    TRY(add_mount(from.mount().file_system, Ref<Dentry>(from.dentry()), target, from.mount().flags,
                  from.mount().source.view()));
    return {};
}

bool has_mounts_below(const Mount& mount) {
    for (Mount& other : mounts)
        if (other.place && &other.place.mount() == &mount) return true;
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

Mount::~Mount() {
    {
        LockGuard guard(dentry_lock);
        for (Mount& other : mounts)
            if (other.file_system == file_system) return;
    }
    // Only the names; inodes that are still in use keep what they need.
    forget_dentries(*file_system);
    file_system->unmounted();
}

void register_file_system(FileSystemType& type) {
    FileSystemType** end = &types;
    while (*end) end = &(*end)->next;
    *end = &type;
}

const FileSystemType* file_system_types() { return types; }

uint32_t new_anonymous_device() {
    return device_number(0, __atomic_add_fetch(&last_anonymous_device, 1, __ATOMIC_RELAXED));
}

void mount_refused(std::string_view format, std::span<const FormatArgument> arguments) {
    BufferSink sink(std::span<char>(refusals).subspan(refusals_size));
    if (refusals_size) sink.put("\n");
    format_arguments(sink, format, arguments);
    refusals_size += sink.view().size();
}

std::string_view mount_refusals() { return {refusals, refusals_size}; }

Ref<Mount> mount_covering(const Mount& mount, const Dentry& dentry) {
    LockGuard guard(dentry_lock);
    for (Mount* at = mounts.back(); at; at = mounts.previous(*at))
        if (at->place && &at->place.dentry() == &dentry && &at->place.mount() == &mount)
            return Ref<Mount>(at);
    return nullptr;
}

const Mount* mount_with_root_locked(const Dentry& top) {
    for (Mount& mount : mounts)
        if (mount.root.get() == &top) return &mount;
    return nullptr;
}

Result<void> vfs_mount(const FsContext& who, std::string_view source, std::string_view target,
                       std::string_view type_name, uint32_t flags, std::string_view options) {
    if (!who.credentials.is_superuser()) return Errno::perm;
    LockGuard guard(mount_table);
    Path place = TRY(resolve(who, who.cwd, target, Follow::yes));
    if (flags & kMountRemount) return remount(place, flags);
    if (flags & kMountBind) return bind(who, source, place);
    FileSystemType* type = find_type(type_name);
    if (!type) return Errno::nodev;
    if (!place.dentry().is_directory()) return Errno::notdir;
    std::string_view what = source;
    Ref<FileSystem> fs;
    Ref<Dentry> top;
    if (type->needs_device) {
        BlockDevice* device = TRY(device_named(who, source));
        what = device->name();
        if (find_mounted(type->name, device->device_number(), fs, top) && !(flags & kMountReadOnly))
            TRY(fs->set_read_only(false));
    }
    if (!fs) {
        clear_refusals();
        Result<Ref<FileSystem>> fresh = type->mount(what, flags, options);
        if (fresh.is_error()) {
            if (refusals_size) log_error("{}", mount_refusals());
            return fresh.error();
        }
        fs = fresh.release_value();
        top = TRY(Dentry::create_root(fs->root()));
    }
    TRY(add_mount(std::move(fs), std::move(top), std::move(place), flags, source));
    return {};
}

Result<void> vfs_unmount(const FsContext& who, std::string_view target, uint32_t flags) {
    if (!who.credentials.is_superuser()) return Errno::perm;
    LockGuard table_guard(mount_table);
    Ref<Mount> mount;
    {
        Path place = TRY(resolve(who, who.cwd, target, Follow::yes));
        if (&place.dentry() != place.mount().root.get()) return Errno::inval;
        mount = Ref<Mount>(place.mount());
    }
    TRY(mount->file_system->sync());
    {
        LockGuard guard(dentry_lock);
        if (!mount->place || has_mounts_below(*mount)) return Errno::busy;
        // The table's reference and ours.
        if (!(flags & kUnmountDetach) && mount->ref_count() > 2) return Errno::busy;
        --mount->place.dentry().covered;
        mount->node.unlink();
    }
    Ref<Mount>::adopt(mount.get());
    return {};
}

Result<Path> mount_root(std::string_view source, bool read_only) {
    LockGuard guard(mount_table);
    clear_refusals();
    if (source.starts_with("/dev/")) source.remove_prefix(5);
    if (!find_block_device(source)) {
        char names[100];
        BufferSink found(names);
        for (BlockDevice& device : block_devices())
            format_to(found, "{}{}", found.wanted() ? " " : "", device.name());
        return refuse_mount(Errno::nxio, "no disk named {} (found: {})", source,
                            found.wanted() ? found.view() : "none");
    }
    for (FileSystemType* type = types; type; type = type->next) {
        if (!type->needs_device || !type->may_be_root) continue;
        Result<Ref<FileSystem>> mounted = type->mount(source, read_only ? kMountReadOnly : 0, {});
        if (mounted.is_error()) continue;
        Ref<FileSystem> fs = mounted.release_value();
        Ref<Dentry> top = TRY(Dentry::create_root(fs->root()));
        char device_name[24];
        Ref<Mount> mount = TRY(add_mount(std::move(fs), top, Path(), read_only ? kMountReadOnly : 0,
                                         format_in(device_name, "/dev/{}", source)));
        return Path(std::move(mount), std::move(top));
    }
    return Errno::inval;
}

Result<void> vfs_sync_all() {
    LockGuard guard(mount_table);
    Errno failure{};
    for (Mount& mount : mounts) {
        Result<void> done = mount.file_system->sync();
        if (done.is_error()) failure = done.error();
    }
    return failure;
}

void vfs_write_metadata() {
    LockGuard guard(mount_table);
    for (Mount& mount : mounts) mount.file_system->write_metadata();
}

void vfs_stop() {
    LockGuard guard(mount_table);
    for (Mount& mount : mounts)
        if (mount.file_system->set_read_only(true).is_error())
            log_error("{}: could not be written in full", mount.source.view());
}

FileSystemStatistics vfs_statistics(const Path& path) {
    return path.mount().file_system->statistics();
}

void list_mounts(const FsContext& who, TextSink& sink) {
    struct Option {
        uint32_t flag;
        const char* text;
    };
    static constexpr Option kOptions[] = {{kMountNoSuid, ",nosuid"},
                                          {kMountNoDevices, ",nodev"},
                                          {kMountNoExecute, ",noexec"},
                                          {kMountNoAtime, ",noatime"}};
    LockGuard guard(mount_table);
    char buffer[256];
    for (Mount& mount : mounts) {
        Path place(Ref<Mount>(mount), mount.root);
        bool reached;
        Result<std::string_view> name = place_name(place, &who.root, buffer, reached);
        if (name.is_error() || !reached) continue;
        format_to(sink, "{} {} {} {}", mount.source.view(), name.value(),
                  mount.file_system->type_name(), mount.read_only() ? "ro" : "rw");
        for (const Option& option : kOptions)
            if (mount.flags & option.flag) sink.put(option.text);
        sink.put(" 0 0\n");
    }
}
