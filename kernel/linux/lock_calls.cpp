// File locks as calls: fcntl's record locks in both sizes, flock.
// Spec: fcntl(2), flock(2); Linux i386 struct flock and flock64.
#include "kernel/linux/fcntl.hpp"
#include "kernel/linux/file_locks.hpp"
#include "kernel/syscall/system_call.hpp"

namespace {

enum LockCommand : uint32_t {
    get_lock = 5,
    set_lock = 6,
    set_lock_wait = 7,
    get_lock64 = 12,
    set_lock64 = 13,
    set_lock_wait64 = 14,
    get_open_lock = 36,
    set_open_lock = 37,
    set_open_lock_wait = 38,
};
constexpr uint16_t kReadLock = 0, kWriteLock = 1, kUnlocked = 2;

template <typename Offset>
struct RecordLock {  // struct flock, struct flock64
    uint16_t type, whence;
    Offset start, length;
    int32_t pid;
};
static_assert(sizeof(RecordLock<int32_t>) == 16 && sizeof(RecordLock<int64_t>) == 24);

// The bytes meant: a length of 0 reaches to the end, a negative one backwards. EINVAL, EOVERFLOW.
Result<LockRange> range_of(File& file, uint32_t whence, int64_t start, int64_t length) {
    constexpr uint32_t kSet = 0, kCurrent = 1, kEnd = 2;
    int64_t base = 0;
    if (whence == kCurrent)
        base = static_cast<int64_t>(file.seek(0, kCurrent).value_or(0));
    else if (whence == kEnd)
        base = static_cast<int64_t>(file.end_offset());
    else if (whence != kSet)
        return Errno::inval;
    int64_t first = 0, last = 0;
    if (__builtin_add_overflow(base, start, &first)) return Errno::overflow;
    if (length > 0 && __builtin_add_overflow(first, length - 1, &last)) return Errno::overflow;
    if (length < 0) {
        last = first - 1;
        if (__builtin_add_overflow(first, length, &first)) return Errno::inval;
    }
    if (first < 0 || (length && last < first)) return Errno::inval;
    return LockRange{.first = static_cast<uint64_t>(first),
                     .last = length ? static_cast<uint64_t>(last) : kLockToEnd};
}

template <typename Offset>
Result<int> tell_lock(File& file, LockRange& range, UserPtr<RecordLock<Offset>> argument,
                      RecordLock<Offset>& lock) {
    LockRange found;
    if (find_file_lock(*file.inode(), range, found)) {
        lock.type = found.write ? kWriteLock : kReadLock;
        lock.whence = 0;
        lock.start = static_cast<Offset>(found.first);
        lock.length =
            found.last == kLockToEnd ? 0 : static_cast<Offset>(found.last - found.first + 1);
        lock.pid = found.pid;
    } else {
        lock.type = kUnlocked;
    }
    TRY(write_user(argument, lock));
    return 0;
}

template <typename Offset>
Result<int> record_lock(File& file, bool query, bool wait, bool by_open_file,
                        UserPtr<RecordLock<Offset>> argument) {
    RecordLock<Offset> lock = TRY(read_user(argument));
    if (lock.type > kUnlocked || !file.inode() || (by_open_file && lock.pid)) return Errno::inval;
    LockRange range = TRY(range_of(file, lock.whence, lock.start, lock.length));
    if (by_open_file)
        range.owner = &file, range.pid = -1;
    else
        range.owner = current_process().files.get(), range.pid = current_process().pid;
    range.write = lock.type == kWriteLock;
    if (query && lock.type == kUnlocked) return Errno::inval;
    if (query) return tell_lock(file, range, argument, lock);
    if (lock.type == kReadLock && !file.readable()) return Errno::badf;
    if (lock.type == kWriteLock && !file.writable()) return Errno::badf;
    TRY(set_file_lock(*file.inode(), by_open_file ? LockKind::open_file_record : LockKind::record,
                      range, lock.type == kUnlocked, wait));
    return 0;
}

}  // namespace

Result<int> lock_command(File& file, uint32_t command, uint32_t argument) {
    switch (command) {
        case get_lock:
        case set_lock:
        case set_lock_wait:
            return record_lock(file, command == get_lock, command == set_lock_wait, false,
                               UserPtr<RecordLock<int32_t>>(argument));
        case get_lock64:
        case set_lock64:
        case set_lock_wait64:
            return record_lock(file, command == get_lock64, command == set_lock_wait64, false,
                               UserPtr<RecordLock<int64_t>>(argument));
        case get_open_lock:
        case set_open_lock:
        case set_open_lock_wait:
            return record_lock(file, command == get_open_lock, command == set_open_lock_wait, true,
                               UserPtr<RecordLock<int64_t>>(argument));
        default: return Errno::inval;
    }
}

Result<void> sys_flock(int fd, uint32_t operation) {
    constexpr uint32_t kShared = 1, kExclusive = 2, kNonBlock = 4, kUnlock = 8;
    Ref<File> file = TRY(file_of(fd));
    if (file->flags() & kOpenPath) return Errno::badf;
    const uint32_t what = operation & ~kNonBlock;
    if (what != kShared && what != kExclusive && what != kUnlock) return Errno::inval;
    if (!file->inode()) return Errno::inval;
    const LockRange range{
        .owner = file.get(), .pid = current_process().pid, .write = what == kExclusive};
    return set_file_lock(*file->inode(), LockKind::whole, range, what == kUnlock,
                         !(operation & kNonBlock));
}

constexpr SystemCall kLockCalls[] = {
    CALL(143, flock, sys_flock),
};
SYSTEM_CALLS(kLockCalls);
