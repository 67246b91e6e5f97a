// Hints about access to a file that is to come, and syncing a part of one.
// Spec: posix_fadvise(2), readahead(2), sync_file_range(2), cachestat(2).
#include <algorithm>

#include "kernel/syscall/system_call.hpp"
#include "mm/pager.hpp"

// Writing is waited for even if only its start was asked for.
Result<void> sys_sync_file_range(int fd, int64_t offset, int64_t bytes, uint32_t flags) {
    constexpr uint32_t kWaitBefore = 1, kWrite = 2, kWaitAfter = 4;
    Ref<File> file = TRY(file_of(fd));
    if (file->flags() & kOpenPath) return Errno::badf;
    int64_t end;
    if ((flags & ~(kWaitBefore | kWrite | kWaitAfter)) || offset < 0 || bytes < 0 ||
        __builtin_add_overflow(offset, bytes, &end))
        return Errno::inval;
    const uint32_t type = TRY(file->attributes()).mode & kTypeMask;
    if (type != kTypeRegular && type != kTypeBlock && type != kTypeDirectory) return Errno::spipe;
    if (bytes == 0) end = INT64_MAX;
    const auto from = static_cast<uint64_t>(offset), to = static_cast<uint64_t>(end);
    if (flags & kWaitBefore) TRY(file->sync_range(from, to, false));
    if (flags & kWrite) TRY(file->sync_range(from, to, true));
    return flags & kWaitAfter ? file->sync_range(from, to, false) : Result<void>();
}

// --- how much of a file is in memory

struct CacheRange {  // struct cachestat_range
    uint64_t offset, bytes;
};
struct CacheUse {  // struct cachestat
    uint64_t cached, dirty, writing, evicted, recently_evicted;
};

// What is not a file's page cache has none; of files on disks nobody remembers what was evicted.
Result<void> sys_cachestat(int fd, UserPtr<const CacheRange> from, UserPtr<CacheUse> to,
                           uint32_t flags) {
    Ref<File> file = TRY(file_of(fd));
    if (file->flags() & kOpenPath) return Errno::badf;
    const CacheRange range = TRY(read_user(from));
    if (flags) return Errno::inval;
    constexpr uint64_t kLast = UINT32_MAX;
    const uint64_t first = range.offset >> kPageShift;
    const uint64_t last = range.bytes ? (range.offset + range.bytes - 1) >> kPageShift : kLast;
    PagerUse use;
    Result<Ref<Pager>> pager = file->pager();
    if (pager.is_ok() && pager.value() && first <= kLast)  // /dev/zero has none
        use = pager.value()->use_of(static_cast<uint32_t>(first),
                                    static_cast<uint32_t>(std::min(last, kLast)));
    return write_user(to, CacheUse{use.cached, use.dirty, use.writing, use.evicted, 0});
}

// --- hints about access to come; reading here is waited for

Result<void> sys_fadvise64_64(int fd, uint64_t offset, uint64_t length, uint32_t advice) {
    enum : uint32_t { normal, random, sequential, will_need, dont_need, no_reuse };
    Ref<File> file = TRY(file_of(fd));
    if (file->flags() & kOpenPath) return Errno::badf;
    if ((TRY(file->attributes()).mode & kTypeMask) == kTypeFifo) return Errno::spipe;
    if (static_cast<int64_t>(length) < 0) return Errno::inval;
    uint64_t end = offset + length;
    if (length == 0 || end < offset) end = UINT64_MAX;
    switch (advice) {
        case normal: file->expect(AccessPattern::normal); return {};
        case random: file->expect(AccessPattern::random); return {};
        case sequential: file->expect(AccessPattern::sequential); return {};
        case will_need: file->will_need(offset, end); return {};
        case dont_need: file->dont_need(offset, end); return {};
        case no_reuse: return {};
        default: return Errno::inval;
    }
}
Result<void> sys_fadvise64(int fd, uint64_t offset, uint32_t length, uint32_t advice) {
    return sys_fadvise64_64(fd, offset, length, advice);
}
Result<void> sys_readahead(int fd, uint64_t offset, uint32_t count) {
    Ref<File> file = TRY(file_of(fd));
    if (!file->readable()) return Errno::badf;
    const uint32_t type = TRY(file->attributes()).mode & kTypeMask;
    if (type != kTypeRegular && type != kTypeBlock) return Errno::inval;
    if (static_cast<int64_t>(offset) < 0) return Errno::inval;
    file->will_need(offset, offset + count);
    return {};
}

constexpr SystemCall kFileHintsCalls[] = {
    CALL(225, readahead, sys_readahead),       CALL(250, fadvise64, sys_fadvise64),
    CALL(272, fadvise64_64, sys_fadvise64_64), CALL(314, sync_file_range, sys_sync_file_range),
    CALL(451, cachestat, sys_cachestat),
};
SYSTEM_CALLS(kFileHintsCalls);
