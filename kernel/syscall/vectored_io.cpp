// Reading and writing by several ranges of memory at once. Spec: readv(2), preadv2(2).
#include "kernel/syscall/file_io.hpp"

Result<uint32_t> sys_readv(int fd, UserPtr<const UserRange> vector, uint32_t count) {
    Ref<File> file = TRY(readable_file(fd));
    RangeList ranges;
    TRY(ranges.load(vector, count));
    UserVectorSink sink(ranges.span());
    return counted_read([&] { return with_memory([&] { return file->read(sink); }); });
}

Result<uint32_t> sys_writev(int fd, UserPtr<const UserRange> vector, uint32_t count) {
    Ref<File> file = TRY(writable_file(fd));
    RangeList ranges;
    TRY(ranges.load(vector, count));
    UserVectorSource source(ranges.span());
    return counted_write([&] { return write_next(*file, source); });
}

Result<uint32_t> sys_preadv(int fd, UserPtr<const UserRange> vector, uint32_t count,
                            uint64_t position) {
    TRY(check_position(fd, position));
    Ref<File> file = TRY(readable_file(fd));
    RangeList ranges;
    TRY(ranges.load(vector, count));
    UserVectorSink sink(ranges.span());
    return counted_read([&] { return with_memory([&] { return file->read_at(sink, position); }); });
}

Result<uint32_t> sys_pwritev(int fd, UserPtr<const UserRange> vector, uint32_t count,
                             uint64_t position) {
    TRY(check_position(fd, position));
    Ref<File> file = TRY(writable_file(fd));
    RangeList ranges;
    TRY(ranges.load(vector, count));
    UserVectorSource source(ranges.span());
    return counted_write([&] { return write_to(*file, source, position); });
}

// --- with flags of their own. Spec: preadv2(2); no file here can be read without waiting
// (RWF_NOWAIT), as on Linux's ext2.

namespace {
constexpr uint32_t kHighPriority = 1, kDataSync = 2, kSync = 4, kAppend = 16;
constexpr uint64_t kAtOffset = UINT64_MAX;  // the file's own
}  // namespace

Result<uint32_t> sys_preadv2(int fd, UserPtr<const UserRange> vector, uint32_t count,
                             uint64_t position, uint32_t flags) {
    if (flags & ~(kHighPriority | kDataSync | kSync | kAppend)) return Errno::opnotsupp;
    if (position == kAtOffset) return sys_readv(fd, vector, count);
    return sys_preadv(fd, vector, count, position);
}

Result<uint32_t> sys_pwritev2(int fd, UserPtr<const UserRange> vector, uint32_t count,
                              uint64_t position, uint32_t flags) {
    if (flags & ~(kHighPriority | kDataSync | kSync | kAppend)) return Errno::opnotsupp;
    const bool at_offset = position == kAtOffset;
    if (!at_offset) TRY(check_position(fd, position));
    Ref<File> file = TRY(writable_file(fd));
    RangeList ranges;
    TRY(ranges.load(vector, count));
    UserVectorSource source(ranges.span());
    const bool appends = ((flags & kAppend) || (file->flags() & kOpenAppend)) && file->seekable();
    auto write = [&]() -> Result<uint32_t> {
        if (!appends) return at_offset ? file->write(source) : file->write_at(source, position);
        if (!at_offset) return file->append(source, position);
        return file->write_at_end(source);
    };
    const uint32_t done = TRY(counted_write([&] { return write_from(*file, source, write); }));
    if (flags & (kDataSync | kSync)) TRY(file->sync(!(flags & kSync)));
    return done;
}

constexpr SystemCall kVectoredCalls[] = {
    CALL(145, readv, sys_readv),     CALL(146, writev, sys_writev),
    CALL(333, preadv, sys_preadv),   CALL(334, pwritev, sys_pwritev),
    CALL(378, preadv2, sys_preadv2), CALL(379, pwritev2, sys_pwritev2),
};
SYSTEM_CALLS(kVectoredCalls);
