// Mount: one file system (or a part of it: bind) made visible at a place in the tree of names.
// Invariant: all that stands in a mount (working directories, open files, mounts further down) holds
// a reference through its Path, so a count of 1 (the table's) means that it can go.
// Locks: mount_table (Mutex) around every change; the list itself, places, and `covered` of dentries
// also under dentry_lock, which is all that walking a path takes.
#pragma once

#include "fs/dentry.hpp"
#include "fs/vfs.hpp"
#include "kernel/lib/format.hpp"

// Spec: mount(2), umount2(2); the values are those of Linux.
constexpr uint32_t kMountReadOnly = 1, kMountNoSuid = 2, kMountNoDevices = 4, kMountNoExecute = 8,
                   kMountRemount = 32, kMountNoLinks = 256, kMountNoAtime = 1 << 10,
                   kMountNoDirectoryAtime = 1 << 11, kMountBind = 1 << 12, kMountMove = 1 << 13,
                   kMountRecursive = 1 << 14, kMountSilent = 1 << 15, kMountUnbindable = 1 << 17,
                   kMountPrivate = 1 << 18, kMountSlave = 1 << 19, kMountShared = 1 << 20,
                   kMountRelatime = 1 << 21, kMountStrictAtime = 1 << 24;
constexpr uint32_t kMountFlagsKept = kMountReadOnly | kMountNoSuid | kMountNoDevices |
                                     kMountNoExecute | kMountNoLinks | kMountNoAtime |
                                     kMountNoDirectoryAtime | kMountRelatime;
constexpr uint32_t kUnmountForce = 1, kUnmountDetach = 2, kUnmountExpire = 4, kUnmountNoFollow = 8;

// What a mount keeps of the flags: as on Linux times of access are relative unless told otherwise.
constexpr uint32_t kept_mount_flags(uint32_t flags) {
    flags &= ~kMountRelatime;
    if (flags & kMountStrictAtime) flags &= ~kMountNoAtime;
    if (!(flags & (kMountNoAtime | kMountStrictAtime))) flags |= kMountRelatime;
    return flags & kMountFlagsKept;
}
// Those of a mount that is mounted anew: what says nothing of access times leaves them as they are.
constexpr uint32_t kept_remount_flags(uint32_t before, uint32_t flags) {
    constexpr uint32_t kTimes = kMountNoAtime | kMountNoDirectoryAtime | kMountRelatime;
    if (flags & (kTimes | kMountStrictAtime)) return kept_mount_flags(flags);
    return (kept_mount_flags(flags) & ~kTimes) | (before & kTimes);
}

class Mount final : public RefCounted {
  public:
    Mount(Ref<FileSystem> fs, Ref<Dentry> top, Path where, uint32_t kept_flags, String from)
        : file_system(std::move(fs)),
          root(std::move(top)),
          flags(kept_flags),
          source(std::move(from)),
          place_(std::move(where)) {
        LockGuard guard(dentry_lock);
        ++file_system->mounts;
    }
    ~Mount() override;

    bool read_only() const { return (flags & kMountReadOnly) || file_system->read_only(); }

    // What it covers, under dentry_lock: null for the root of everything and what was detached.
    const Path& place_locked() const REQUIRES(dentry_lock) { return place_; }
    Path place() const;
    // It covers that from now on, or nothing; what it covered, to be dropped without the lock.
    Path set_place_locked(Path place) REQUIRES(dentry_lock);
    void cover_locked() REQUIRES(dentry_lock);  // the place that it was made with

    // A path leads into it: for MNT_EXPIRE.
    void note_crossing() {
        if (const uint8_t mark = expiry_.relaxed(); mark == 1 || mark == 2)
            expiry_.store_relaxed(mark + 1);
    }
    // Marks it; true if it was marked, and only the caller has walked into it since.
    bool expire() { return expiry_.exchange(1) == 2; }

    const Ref<FileSystem> file_system;
    const Ref<Dentry> root;
    uint32_t flags;                // kMountFlagsKept
    uint32_t id = 0;               // as /proc/self/mountinfo counts them
    Atomic<uint32_t> writers = 0;  // regular files open for writing
    const String source;
    ListNode node, by_place;  // of all; of those on places with the same hash, newest first

  private:
    Path place_ GUARDED_BY(dentry_lock);
    Atomic<uint8_t> expiry_ = 0;  // 1: marked; 2, 3: walked into since, once or more
};

// The mount that covers this place, if any: the newest one.
Ref<Mount> mount_covering(const Mount& mount, const Dentry& dentry);

// Whether a file system is in use on one of these devices.
bool is_mounted(uint32_t first_device, uint32_t last_device);

// All mounts, oldest first; under mount_table and, to change it, dentry_lock too.
extern Mutex mount_table;
extern List<Mount, &Mount::node> mounts;
// Those detached that are still in use, or are being finished, or without a place yet; under dentry_lock.
extern List<Mount, &Mount::node> leaving_mounts GUARDED_BY(dentry_lock);

// With mount_table held: puts new mounts in their places, all at once; takes some out.
void attach_mounts(std::span<Ref<Mount>> fresh);
void detach_mounts(std::span<Ref<Mount>> leaving);
// The same for a mount that is nowhere yet (detached_mounts.hpp): it is known; it gets its first place.
void keep_detached(Mount& mount);
void place_detached(Mount& mount, Path place);

// The inode was read by that path: its time of access changes as the mount's flags say.
inline void note_access(const Path& path, Inode& inode) {
    const uint32_t flags = path.mount().flags;
    if (flags & (kMountNoAtime | kMountReadOnly)) return;
    if ((flags & kMountNoDirectoryAtime) && path.dentry().is_directory()) return;
    inode.note_access(flags & kMountRelatime);
}

// A mount whose top this is.
const Mount* mount_with_root_locked(const Dentry& top) REQUIRES(dentry_lock);

// The text of a place, built from its end in `buffer`, up to `stop` (null: the root of everything).
// `reached` tells whether the walk up met `stop`. ENAMETOOLONG.
Result<std::string_view> place_name(const Path& place, const Path* stop, std::span<char> buffer,
                                    bool& reached);

// The same up to the top of its file system, whatever is mounted where.
std::string_view name_in_file_system(const Dentry& dentry, std::span<char> buffer);

// A mount function that refuses says why in one line; what was said since the last clear.
// Callers hold mount_table, as all mounting does.
void clear_mount_refusals();
void mount_refused(std::string_view format, std::span<const FormatArgument> arguments);
template <typename... Args>
Errno refuse_mount(Errno error, std::string_view format, const Args&... args) {
    const FormatArgument arguments[] = {format_argument(args)..., FormatArgument{}};
    mount_refused(format, {arguments, sizeof...(args)});
    return error;
}

FileSystemType* find_file_system_type(std::string_view name);  // null: unknown
const FileSystemType* file_system_types();  // the first of all that were registered

// A device number for a file system without a device: 0:1, 0:2, ...
uint32_t new_anonymous_device();

// Some path of the file, from the root of everything; empty when no name is known.
std::string_view inode_name(const Inode& inode, std::span<char> buffer);

// Takes the first of mount(2)'s options, separated by commas, off the list.
inline std::string_view next_mount_option(std::string_view& list) {
    const size_t comma = list.find(',');
    const std::string_view word = list.substr(0, comma);
    list = comma == list.npos ? std::string_view() : list.substr(comma + 1);
    return word;
}
