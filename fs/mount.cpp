// The table of mounts, and what walks over all of them. See mount.hpp; mount_calls.cpp changes it.
#include "fs/mount.hpp"

#include "drivers/block.hpp"
#include "fs/file_events.hpp"
#include "kernel/lib/log.hpp"

constinit Mutex mount_table{LockRank::mount_table};
constinit List<Mount, &Mount::node> mounts;
constinit List<Mount, &Mount::node> leaving_mounts;

namespace {

constinit FileSystemType* types = nullptr;
constinit char refusals[600] = {};
constinit size_t refusals_size = 0;
constinit Atomic<uint32_t> last_anonymous_device = 0;
constinit uint32_t last_mount GUARDED_BY(dentry_lock) = 0;

constexpr uint32_t kBuckets = 256;
constinit List<Mount, &Mount::by_place> covering[kBuckets] GUARDED_BY(dentry_lock) = {};
auto& covering_bucket(const Dentry& dentry) REQUIRES(dentry_lock) {
    return covering[reinterpret_cast<uintptr_t>(&dentry) / sizeof(Dentry) % kBuckets];
}

}  // namespace

Path Mount::place() const {
    LockGuard guard(dentry_lock);
    return place_;
}

void Mount::cover_locked() {
    if (!place_) return;
    covering_bucket(place_.dentry()).push_front(*this);
    place_.dentry().covered.add(1);
}

Path Mount::set_place_locked(Path place) {
    if (place_) {
        by_place.unlink();
        place_.dentry().covered.subtract(1);
    }
    Path old = std::exchange(place_, std::move(place));
    cover_locked();
    return old;
}

bool is_mounted(uint32_t first_device, uint32_t last_device) {
    LockGuard guard(dentry_lock);
    for (auto* list : {&mounts, &leaving_mounts})
        for (const Mount& mount : *list) {
            const uint32_t device = mount.file_system->device_number();
            if (first_device <= device && device <= last_device) return true;
        }
    return false;
}

void attach_mounts(std::span<Ref<Mount>> fresh) {
    LockGuard guard(dentry_lock);
    for (Ref<Mount>& mount : fresh) {
        mount->add_ref();
        mount->id = ++last_mount;
        mounts.push_back(*mount);
        mount->cover_locked();
    }
}

void keep_detached(Mount& mount) {
    LockGuard guard(dentry_lock);
    leaving_mounts.push_back(mount);
}

void place_detached(Mount& mount, Path place) {
    LockGuard guard(dentry_lock);
    mount.node.unlink();
    mount.add_ref();
    mount.id = ++last_mount;
    mounts.push_back(mount);
    static_cast<void>(mount.set_place_locked(std::move(place)));
}

void detach_mounts(std::span<Ref<Mount>> leaving) {
    for (Ref<Mount>& mount : leaving) {
        Path place;  // outlives the lock
        {
            LockGuard guard(dentry_lock);
            place = mount->set_place_locked(Path());
            mount->node.unlink();
            leaving_mounts.push_back(*mount);
        }
        Ref<Mount>::adopt(mount.get());
    }
}

Mount::~Mount() {
    bool last;
    {
        LockGuard guard(dentry_lock);
        last = --file_system->mounts == 0;
    }
    if (last) {
        file_system_leaves(*file_system);
        // Only the names; inodes that are still in use keep what they need.
        forget_dentries(*file_system);
        file_system->unmounted();
        for (BlockDevice& device : block_devices())
            if (device.device_number() == file_system->device_number()) device.closed();
    }
    LockGuard guard(dentry_lock);
    if (node.linked()) node.unlink();
}

void register_file_system(FileSystemType& type) {
    FileSystemType** end = &types;
    while (*end) end = &(*end)->next;
    *end = &type;
}

FileSystemType* find_file_system_type(std::string_view name) {
    for (FileSystemType* type = types; type; type = type->next)
        if (type->name == name) return type;
    return nullptr;
}

const FileSystemType* file_system_types() { return types; }

uint32_t new_anonymous_device() { return device_number(0, last_anonymous_device.add(1)); }

void mount_refused(std::string_view format, std::span<const FormatArgument> arguments) {
    BufferSink sink(std::span<char>(refusals).subspan(refusals_size));
    if (refusals_size) sink.put("\n");
    format_arguments(sink, format, arguments);
    refusals_size += sink.view().size();
}

void clear_mount_refusals() { refusals_size = 0; }
std::string_view mount_refusals() { return {refusals, refusals_size}; }

Ref<Mount> mount_covering(const Mount& mount, const Dentry& dentry) {
    LockGuard guard(dentry_lock);
    for (Mount& at : covering_bucket(dentry)) {
        const Path& place = at.place_locked();
        if (&place.dentry() == &dentry && &place.mount() == &mount) return Ref<Mount>(at);
    }
    return nullptr;
}

const Mount* mount_with_root_locked(const Dentry& top) {
    for (Mount& mount : mounts)
        if (mount.root.get() == &top) return &mount;
    return nullptr;
}

Result<Path> mount_root(std::string_view source, bool read_only) {
    LockGuard guard(mount_table);
    clear_mount_refusals();
    if (source.starts_with("/dev/")) source.remove_prefix(5);
    if (!find_block_device(source)) {
        char names[100];
        BufferSink found(names);
        for (BlockDevice& device : block_devices())
            if (device.sectors())
                format_to(found, "{}{}", found.wanted() ? " " : "", device.name());
        return refuse_mount(
            Errno::nxio, "no disk named {} (found: {})", source,
            found.wanted() ? found.view() : "none; disks are IDE or SATA, in QEMU -drive if=ide");
    }
    for (FileSystemType* type = types; type; type = type->next) {
        if (!type->needs_device || !type->may_be_root) continue;
        Result<Ref<FileSystem>> mounted = type->mount(source, read_only ? kMountReadOnly : 0, {});
        if (mounted.is_error()) continue;
        Ref<FileSystem> fs = mounted.release_value();
        Ref<Dentry> top = TRY(Dentry::create_root(fs->root()));
        char device_name[24];
        String from = TRY(String::from(format_in(device_name, "/dev/{}", source)));
        Ref<Mount> mount =
            TRY(make_ref<Mount>(std::move(fs), top, Path(),
                                kept_mount_flags(read_only ? kMountReadOnly : 0), std::move(from)));
        attach_mounts({&mount, 1});
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

void vfs_look_at_clock() {
    LockGuard guard(mount_table);
    for (Mount& mount : mounts) mount.file_system->look_at_clock();
}

void vfs_stop() {
    LockGuard guard(mount_table);
    // The newest first: its disk may be a file of an older one.
    for (Mount* mount = mounts.back(); mount; mount = mounts.previous(*mount)) {
        forget_dentries(*mount->file_system);  // what was removed, and only they still hold, goes
        if (mount->file_system->set_read_only(true).is_error())
            log_error("{}: could not be written in full", mount->source.view());
    }
}

FileSystemStatistics vfs_statistics(const Path& path) {
    return path.mount().file_system->statistics();
}
