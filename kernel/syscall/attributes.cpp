// Changing what a file has beside its contents: mode, owner, times, size by name.
// Spec: chmod(2), chown(2), utimensat(2), truncate(2).
#include "kernel/syscall/system_call.hpp"

namespace {

Result<void> change(int at, UserString name, uint32_t flags, const SetAttributes& changes) {
    if (flags & ~(kAtNoFollow | kAtEmptyPath)) return Errno::inval;
    UserName file;
    TRY(file.load(at, name, flags & kAtEmptyPath ? EmptyName::allowed : EmptyName::refused));
    Path path = TRY(file.resolve(flags & kAtNoFollow ? Follow::no : Follow::yes));
    if (changes.set_mode && inode_of(path).attributes().is_symlink()) return Errno::opnotsupp;
    return vfs_set_attributes(context(), path, changes);
}

Result<void> change_file(int fd, const SetAttributes& changes) {
    Ref<File> file = TRY(file_of(fd));
    if (file->flags() & kOpenPath) return Errno::badf;
    if (!file->path()) return Errno::inval;
    return vfs_set_attributes(context(), file->path(), changes);
}

SetAttributes new_mode(uint32_t mode) {
    SetAttributes changes;
    changes.set_mode = true;
    changes.mode = mode & 07777;
    return changes;
}

SetAttributes new_owner(uint32_t uid, uint32_t gid) {
    SetAttributes changes;
    changes.set_uid = uid != UINT32_MAX;
    changes.set_gid = gid != UINT32_MAX;
    changes.uid = uid;
    changes.gid = gid;
    return changes;
}

Timestamp timestamp(Nanoseconds time) {
    auto t = to_time<TimeSpec64>(time);
    return {t.seconds, static_cast<uint32_t>(t.nanoseconds)};
}

SetAttributes times_now() {
    SetAttributes changes;
    changes.set_times = changes.set_accessed = changes.set_modified = changes.times_are_now = true;
    changes.accessed = changes.modified = timestamp(realtime_now());
    return changes;
}

SetAttributes new_times(const Timestamp& accessed, const Timestamp& modified) {
    SetAttributes changes;
    changes.set_times = changes.set_accessed = changes.set_modified = true;
    changes.accessed = accessed;
    changes.modified = modified;
    return changes;
}

// One of utimensat's two: a time, UTIME_NOW or UTIME_OMIT.
template <typename T>
Result<bool> pick_time(const T& wanted, Timestamp& to, bool& now) {
    constexpr int32_t kNow = 0x3fffffff, kOmit = 0x3ffffffe;
    now = wanted.nanoseconds == kNow;
    if (wanted.nanoseconds == kOmit) return false;
    if (now) {
        to = timestamp(realtime_now());
    } else {
        if (static_cast<uint32_t>(wanted.nanoseconds) >= kNanosecondsPerSecond) return Errno::inval;
        to = {wanted.seconds, static_cast<uint32_t>(wanted.nanoseconds)};
    }
    return true;
}

template <typename T>
Result<SetAttributes> times_from(UserPtr<const TimePair<T>> from) {
    if (!from) return times_now();
    TimePair<T> times = TRY(read_user(from));
    SetAttributes changes;
    bool accessed_now, modified_now;
    changes.set_accessed = TRY(pick_time(times.accessed, changes.accessed, accessed_now));
    changes.set_modified = TRY(pick_time(times.modified, changes.modified, modified_now));
    changes.set_times = changes.set_accessed || changes.set_modified;
    changes.times_are_now = accessed_now && modified_now;
    return changes;
}

Result<SetAttributes> times_from(UserPtr<const TimePair<TimeVal32>> from) {
    if (!from) return times_now();
    TimePair<TimeVal32> t = TRY(read_user(from));
    constexpr uint32_t kMicroseconds = 1'000'000;
    auto accessed = static_cast<uint32_t>(t.accessed.microseconds);
    auto modified = static_cast<uint32_t>(t.modified.microseconds);
    if (accessed >= kMicroseconds || modified >= kMicroseconds) return Errno::inval;
    return new_times({t.accessed.seconds, accessed * 1000}, {t.modified.seconds, modified * 1000});
}

}  // namespace

// --- mode

Result<void> sys_fchmodat(int at, UserString name, uint32_t mode) {
    return change(at, name, 0, new_mode(mode));
}
Result<void> sys_fchmodat2(int at, UserString name, uint32_t mode, uint32_t flags) {
    return change(at, name, flags, new_mode(mode));
}
Result<void> sys_chmod(UserString name, uint32_t mode) {
    return sys_fchmodat(kAtWorkingDirectory, name, mode);
}
Result<void> sys_fchmod(int fd, uint32_t mode) { return change_file(fd, new_mode(mode)); }

// --- owner

Result<void> sys_fchownat(int at, UserString name, uint32_t uid, uint32_t gid, uint32_t flags) {
    return change(at, name, flags, new_owner(uid, gid));
}
Result<void> sys_chown(UserString name, uint32_t uid, uint32_t gid) {
    return sys_fchownat(kAtWorkingDirectory, name, uid, gid, 0);
}
Result<void> sys_lchown(UserString name, uint32_t uid, uint32_t gid) {
    return sys_fchownat(kAtWorkingDirectory, name, uid, gid, kAtNoFollow);
}
Result<void> sys_fchown(int fd, uint32_t uid, uint32_t gid) {
    return change_file(fd, new_owner(uid, gid));
}

Result<void> sys_chown16(UserString name, uint16_t uid, uint16_t gid) {
    return sys_chown(name, long_id(uid), long_id(gid));
}
Result<void> sys_lchown16(UserString name, uint16_t uid, uint16_t gid) {
    return sys_lchown(name, long_id(uid), long_id(gid));
}
Result<void> sys_fchown16(int fd, uint16_t uid, uint16_t gid) {
    return sys_fchown(fd, long_id(uid), long_id(gid));
}

// --- times

template <typename T>
Result<void> sys_utimensat(int at, UserString name, UserPtr<const TimePair<T>> times,
                           uint32_t flags) {
    SetAttributes changes = TRY(times_from(times));
    if (!changes.set_times) return {};  // not even the name is looked at
    if (name || at == kAtWorkingDirectory) return change(at, name, flags, changes);
    if (flags) return Errno::inval;
    return change_file(at, changes);  // futimens
}

Result<void> sys_futimesat(int at, UserString name, UserPtr<const TimePair<TimeVal32>> times) {
    SetAttributes changes = TRY(times_from(times));
    bool by_name = name || at == kAtWorkingDirectory;
    return by_name ? change(at, name, 0, changes) : change_file(at, changes);
}
Result<void> sys_utimes(UserString name, UserPtr<const TimePair<TimeVal32>> times) {
    return change(kAtWorkingDirectory, name, 0, TRY(times_from(times)));
}
Result<void> sys_utime(UserString name, UserPtr<const TimePair<int32_t>> times) {
    if (!times) return change(kAtWorkingDirectory, name, 0, times_now());
    TimePair<int32_t> t = TRY(read_user(times));
    return change(kAtWorkingDirectory, name, 0, new_times({t.accessed, 0}, {t.modified, 0}));
}

// --- size

Result<void> sys_truncate64(UserString name, int64_t size) {
    if (size < 0) return Errno::inval;
    UserName file;
    TRY(file.load(kAtWorkingDirectory, name));
    const Path path = TRY(file.resolve(Follow::yes));
    TRY(check_new_size(inode_of(path).attributes().size, static_cast<uint64_t>(size)));
    return vfs_truncate(context(), path, static_cast<uint64_t>(size));
}
Result<void> sys_truncate(UserString name, int32_t size) { return sys_truncate64(name, size); }

constexpr SystemCall kAttributesCalls[] = {
    CALL(15, chmod, sys_chmod),          CALL(16, lchown, sys_lchown16),
    CALL(30, utime, sys_utime),          CALL(92, truncate, sys_truncate),
    CALL(94, fchmod, sys_fchmod),        CALL(95, fchown, sys_fchown16),
    CALL(182, chown, sys_chown16),       CALL(193, truncate64, sys_truncate64),
    CALL(198, lchown32, sys_lchown),     CALL(207, fchown32, sys_fchown),
    CALL(212, chown32, sys_chown),       CALL(271, utimes, sys_utimes),
    CALL(298, fchownat, sys_fchownat),   CALL(299, futimesat, sys_futimesat),
    CALL(306, fchmodat, sys_fchmodat),   CALL(320, utimensat, sys_utimensat<TimeSpec32>),
    CALL(452, fchmodat2, sys_fchmodat2), CALL(412, utimensat_time64, sys_utimensat<TimeSpec64>),
};
SYSTEM_CALLS_THAT_WAIT(kAttributesCalls);
