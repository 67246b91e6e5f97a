// What programs learn about files and file systems.
// Spec: stat(2), statx(2), statfs(2), access(2).
#include "kernel/syscall/stat_layouts.hpp"

#include "fs/mount.hpp"
#include "kernel/syscall/system_call.hpp"

namespace {

template <typename S>
void fill_times(S& out, const Attributes& a) {
    out.accessed = static_cast<uint32_t>(a.accessed.seconds),
    out.accessed_ns = a.accessed.nanoseconds;
    out.modified = static_cast<uint32_t>(a.modified.seconds),
    out.modified_ns = a.modified.nanoseconds;
    out.changed = static_cast<uint32_t>(a.changed.seconds), out.changed_ns = a.changed.nanoseconds;
}

Result<void> give(UserPtr<Stat64> to, const Attributes& a) {
    Stat64 out{};
    out.device = a.device;
    out.inode = out.short_inode = a.inode.raw();
    out.mode = a.mode, out.links = a.links, out.uid = a.uid, out.gid = a.gid;
    out.special_device = a.special_device;
    out.size = a.size;
    out.block_size = a.block_size;
    out.blocks = a.blocks512;
    fill_times(out, a);
    return write_user(to, out);
}

Result<void> give(UserPtr<Stat> to, const Attributes& a) {
    if (a.size > INT32_MAX) return Errno::overflow;
    Stat out{};
    out.device = a.device, out.inode = a.inode.raw();
    out.mode = static_cast<uint16_t>(a.mode), out.links = static_cast<uint16_t>(a.links);
    out.uid = short_id(a.uid), out.gid = short_id(a.gid);
    out.special_device = a.special_device;
    out.size = static_cast<uint32_t>(a.size);
    out.block_size = a.block_size;
    out.blocks = static_cast<uint32_t>(a.blocks512);
    fill_times(out, a);
    return write_user(to, out);
}

constexpr StatxTime statx_time(const Timestamp& t) { return {t.seconds, t.nanoseconds, 0}; }
constexpr uint32_t major_of(uint32_t device) { return device >> 8 & 0xfff; }
constexpr uint32_t minor_of(uint32_t device) { return (device & 0xff) | (device >> 12 & 0xfff00); }

Statx extended(const Attributes& a) {
    constexpr uint32_t kBasicStats = 0x7ff;
    Statx out{};
    out.mask = kBasicStats;
    out.block_size = a.block_size;
    out.links = a.links, out.uid = a.uid, out.gid = a.gid;
    out.mode = static_cast<uint16_t>(a.mode);
    out.inode = a.inode.raw(), out.size = a.size, out.blocks = a.blocks512;
    out.accessed = statx_time(a.accessed);
    out.changed = statx_time(a.changed);
    out.modified = statx_time(a.modified);
    out.special_major = major_of(a.special_device), out.special_minor = minor_of(a.special_device);
    out.device_major = major_of(a.device), out.device_minor = minor_of(a.device);
    return out;
}

constexpr uint32_t kSyncType = 0x6000;  // statx's; all of ours is in sync
constexpr uint32_t kStatFlags = kAtNoFollow | kAtNoAutomount | kAtEmptyPath | kSyncType;

// An empty name with AT_EMPTY_PATH means the descriptor itself, or the working directory.
Result<Attributes> attributes_at(int at, UserString name, uint32_t flags) {
    if (flags & ~kStatFlags) return Errno::inval;
    UserName file;
    TRY(file.load(at, name, flags & kAtEmptyPath ? EmptyName::allowed : EmptyName::refused));
    if (!file.text().empty())
        return vfs_stat(context(), file.base(), file.text(),
                        flags & kAtNoFollow ? Follow::no : Follow::yes);
    if (at == kAtWorkingDirectory) return inode_of(file.base()).attributes();
    return TRY(file_of(at))->attributes();
}

template <typename S>
Result<void> stat_name(UserString name, UserPtr<S> to, uint32_t flags) {
    return give(to, TRY(attributes_at(kAtWorkingDirectory, name, flags)));
}
template <typename S>
Result<void> stat_file(int fd, UserPtr<S> to) {
    return give(to, TRY(TRY(file_of(fd))->attributes()));
}

}  // namespace

Result<void> sys_stat64(UserString name, UserPtr<Stat64> to) { return stat_name(name, to, 0); }
Result<void> sys_lstat64(UserString name, UserPtr<Stat64> to) {
    return stat_name(name, to, kAtNoFollow);
}
Result<void> sys_fstat64(int fd, UserPtr<Stat64> to) { return stat_file(fd, to); }
Result<void> sys_stat(UserString name, UserPtr<Stat> to) { return stat_name(name, to, 0); }
Result<void> sys_lstat(UserString name, UserPtr<Stat> to) {
    return stat_name(name, to, kAtNoFollow);
}
Result<void> sys_fstat(int fd, UserPtr<Stat> to) { return stat_file(fd, to); }

Result<void> sys_fstatat64(int at, UserString name, UserPtr<Stat64> to, uint32_t flags) {
    return give(to, TRY(attributes_at(at, name, flags)));
}

namespace {

// STATX_ATTR_*: those of ext2's flags have the same bits. Spec: statx(2).
constexpr uint32_t kFlagAttributes = 0x04 | kFlagImmutable | kFlagAppendOnly | kFlagNoDump | 0x800,
                   kMountRoot = 0x2000;

Result<void> give_extended(UserPtr<Statx> to, Inode& inode, const Path& path) {
    Statx out = extended(inode.attributes());
    if (Result<uint32_t> flags = inode.flags(); flags.is_ok()) {
        out.attributes = flags.value() & kFlagAttributes;
        out.attributes_mask = kFlagAttributes;
    }
    if (path) {
        out.attributes_mask |= kMountRoot;
        if (&path.dentry() == path.mount().root.get()) out.attributes |= kMountRoot;
    }
    return write_user(to, out);
}

}  // namespace

Result<void> sys_statx(int at, UserString name, uint32_t flags, uint32_t mask, UserPtr<Statx> to) {
    constexpr uint32_t kReserved = 0x80000000;
    if ((mask & kReserved) || (flags & ~kStatFlags)) return Errno::inval;
    UserName file;
    TRY(file.load(at, name, flags & kAtEmptyPath ? EmptyName::allowed : EmptyName::refused));
    if (!file.text().empty()) {
        const Follow follow = flags & kAtNoFollow ? Follow::no : Follow::yes;
        const Result<Path> path = file.resolve(follow);
        if (path.is_ok()) return give_extended(to, inode_of(path.value()), path.value());
        // A link of /proc to a file without a place, or there is none.
        return write_user(to, extended(TRY(vfs_stat(context(), file.base(), file.text(), follow))));
    }
    if (at == kAtWorkingDirectory) return give_extended(to, inode_of(file.base()), file.base());
    Ref<File> open = TRY(file_of(at));
    if (open->inode()) return give_extended(to, *open->inode(), open->path());
    return write_user(to, extended(TRY(open->attributes())));
}

// --- access: judged by the real ids, unless the effective ones are asked for

Result<void> sys_faccessat2(int at, UserString name, uint32_t mode, uint32_t flags) {
    constexpr uint32_t kModes = kMayRead | kMayWrite | kMayExecute;
    if ((mode & ~kModes) || (flags & ~(kAtEffectiveAccess | kAtNoFollow | kAtEmptyPath)))
        return Errno::inval;
    UserName file;
    TRY(file.load(at, name, flags & kAtEmptyPath ? EmptyName::allowed : EmptyName::refused));
    const FsContext& self = context();
    const Credentials& ids = self.credentials;
    if (file.text().empty() && !file.base()) return {};
    Follow follow = flags & kAtNoFollow ? Follow::no : Follow::yes;
    const uint64_t effective = ids.uid ? 0 : ids.capabilities.permitted;
    bool as_is = (flags & kAtEffectiveAccess) || (ids.uid == ids.fsuid && ids.gid == ids.fsgid &&
                                                  effective == ids.capabilities.effective);
    if (as_is) return vfs_access(self, file.base(), file.text(), mode, follow);
    Box<FsContext> real = TRY(make_box<FsContext>(self));
    real->credentials.fsuid = real->credentials.euid = ids.uid;
    real->credentials.fsgid = real->credentials.egid = ids.gid;
    real->credentials.capabilities.effective = effective;
    return vfs_access(*real, file.base(), file.text(), mode, follow);
}
Result<void> sys_faccessat(int at, UserString name, uint32_t mode) {
    return sys_faccessat2(at, name, mode, 0);
}
Result<void> sys_access(UserString name, uint32_t mode) {
    return sys_faccessat2(kAtWorkingDirectory, name, mode, 0);
}

// --- file systems

namespace {

template <typename S>
Result<void> give_statistics(UserPtr<S> to, const Path& path) {
    constexpr uint32_t kValid = 0x20, kSameBits = 0xf | kMountNoAtime | kMountNoDirectoryAtime,
                       kRelative = 0x1000, kNoLinks = 0x2000;
    static_assert((kMountReadOnly | kMountNoSuid | kMountNoDevices | kMountNoExecute) == 0xf);
    FileSystemStatistics from = vfs_statistics(path);
    S out{};
    auto narrow = [](uint64_t n) { return static_cast<decltype(out.blocks)>(n); };
    out.type = from.type;
    out.block_size = out.fragment_size = from.block_size;
    out.blocks = narrow(from.blocks);
    out.free = narrow(from.free_blocks);
    out.available = narrow(from.available_blocks);
    out.files = narrow(from.files);
    out.free_files = narrow(from.free_files);
    const uint64_t id = from.id ? from.id : inode_of(path).file_system().device_number();
    __builtin_memcpy(out.id, &id, sizeof out.id);
    out.name_max = from.name_max;
    const uint32_t mounted = path.mount().flags;
    out.flags = kValid | (mounted & kSameBits) | (path.mount().read_only() ? kMountReadOnly : 0) |
                (mounted & kMountRelatime ? kRelative : 0) |
                (mounted & kMountNoLinks ? kNoLinks : 0);
    return write_user(to, out);
}

template <typename S>
Result<void> statistics_of_name(UserString name, UserPtr<S> to) {
    UserName file;
    TRY(file.load(kAtWorkingDirectory, name));
    return give_statistics(to, TRY(file.resolve(Follow::yes)));
}
template <typename S>
Result<void> statistics_of_file(int fd, UserPtr<S> to) {
    Ref<File> file = TRY(file_of(fd));
    if (file->path()) return give_statistics(to, file->path());
    // What lies on no file system that one could see. Spec: linux/magic.h.
    constexpr uint32_t kPipes = 0x50495045, kSockets = 0x534f434b, kAnonymous = 0x09041934;
    const uint32_t type = TRY(file->attributes()).mode & kTypeMask;
    S out{};
    out.type = type == kTypeFifo ? kPipes : type == kTypeSocket ? kSockets : kAnonymous;
    out.block_size = out.fragment_size = kPageSize;
    out.name_max = kMaxName;
    return write_user(to, out);
}

}  // namespace

Result<void> sys_statfs(UserString name, UserPtr<StatFs> to) {
    return statistics_of_name(name, to);
}
Result<void> sys_fstatfs(int fd, UserPtr<StatFs> to) { return statistics_of_file(fd, to); }
Result<void> sys_statfs64(UserString name, uint32_t size, UserPtr<StatFs64> to) {
    return size == sizeof(StatFs64) ? statistics_of_name(name, to) : Errno::inval;
}
Result<void> sys_fstatfs64(int fd, uint32_t size, UserPtr<StatFs64> to) {
    return size == sizeof(StatFs64) ? statistics_of_file(fd, to) : Errno::inval;
}

constexpr SystemCall kStatCalls[] = {
    CALL(33, access, sys_access),          CALL(99, statfs, sys_statfs),
    CALL(100, fstatfs, sys_fstatfs),       CALL(106, stat, sys_stat),
    CALL(107, lstat, sys_lstat),           CALL(108, fstat, sys_fstat),
    CALL(195, stat64, sys_stat64),         CALL(196, lstat64, sys_lstat64),
    CALL(197, fstat64, sys_fstat64),       CALL(268, statfs64, sys_statfs64),
    CALL(269, fstatfs64, sys_fstatfs64),   CALL(300, fstatat64, sys_fstatat64),
    CALL(307, faccessat, sys_faccessat),   CALL(383, statx, sys_statx),
    CALL(439, faccessat2, sys_faccessat2),
};
SYSTEM_CALLS_THAT_WAIT(kStatCalls);
