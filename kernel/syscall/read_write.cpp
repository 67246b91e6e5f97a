// Reading and writing open files: at their offset, at a given one, from several ranges, from one
// file to another. Spec: read(2), pread(2), readv(2), lseek(2), sendfile(2).
#include <algorithm>

#include "kernel/syscall/system_call.hpp"
#include "mm/reclaim.hpp"

namespace {

// In line, because read() and write() are what programs call most.
[[gnu::always_inline]] inline Result<Ref<File>> readable_file(int fd) {
    Ref<File> file = TRY(file_of(fd));
    if (!file->readable()) return Errno::badf;
    return file;
}

[[gnu::always_inline]] inline Result<Ref<File>> writable_file(int fd) {
    Ref<File> file = TRY(file_of(fd));
    if (!file->writable()) return Errno::badf;
    return file;
}

Result<void> check_position(const File& file, uint64_t position) {
    if (static_cast<int64_t>(position) < 0) return Errno::inval;
    if (!file.seekable() && !file.uniform()) return Errno::spipe;
    return {};
}

// Calls write(), with RLIMIT_FSIZE in the source. Nobody reads any more: EPIPE comes with SIGPIPE;
// not a byte below the limit: EFBIG comes with SIGXFSZ.
template <typename F>
Result<uint32_t> write_from(ByteSource& source, F&& write) {
    const uint32_t limit = current_process().limits[limit_fsize].soft;
    if (limit != kInfinite) [[unlikely]]
        source.set_end(limit);
    if (context().credentials.fsuid != 0) source.set_unprivileged();
    Result<uint32_t> result = with_memory(write);
    if (result.is_error()) [[unlikely]] {
        if (result.error() == Errno::pipe)
            send_signal(current_thread(), signal_from_user(kSigPipe));
        if (source.refused()) send_signal(current_thread(), signal_from_user(kSigXfsz));
    }
    return result;
}
Result<uint32_t> write_next(File& file, ByteSource& source) {
    return write_from(source, [&] { return file.write(source); });
}

// Linux appends here too, whatever the position says.
Result<uint32_t> write_to(File& file, ByteSource& source, uint64_t position) {
    return write_from(source, [&] {
        return file.flags() & kOpenAppend ? file.append(source, position)
                                          : file.write_at(source, position);
    });
}

}  // namespace

Result<uint32_t> sys_read(int fd, UserPtr<void> to, uint32_t count) {
    Ref<File> file = TRY(readable_file(fd));
    UserSink sink(TRY(user_range(to, count)));
    return with_memory([&] { return file->read(sink); });
}

Result<uint32_t> sys_write(int fd, UserPtr<void> from, uint32_t count) {
    Ref<File> file = TRY(writable_file(fd));
    UserSource source(TRY(user_range(from, count)));
    return write_next(*file, source);
}

Result<uint32_t> sys_readv(int fd, UserPtr<const UserRange> vector, uint32_t count) {
    Ref<File> file = TRY(readable_file(fd));
    RangeList ranges;
    TRY(ranges.load(vector, count));
    UserVectorSink sink(ranges.span());
    return with_memory([&] { return file->read(sink); });
}

Result<uint32_t> sys_writev(int fd, UserPtr<const UserRange> vector, uint32_t count) {
    Ref<File> file = TRY(writable_file(fd));
    RangeList ranges;
    TRY(ranges.load(vector, count));
    UserVectorSource source(ranges.span());
    return write_next(*file, source);
}

Result<uint32_t> sys_pread64(int fd, UserPtr<void> to, uint32_t count, uint64_t position) {
    Ref<File> file = TRY(readable_file(fd));
    TRY(check_position(*file, position));
    UserSink sink(TRY(user_range(to, count)));
    return with_memory([&] { return file->read_at(sink, position); });
}

Result<uint32_t> sys_pwrite64(int fd, UserPtr<void> from, uint32_t count, uint64_t position) {
    Ref<File> file = TRY(writable_file(fd));
    TRY(check_position(*file, position));
    UserSource source(TRY(user_range(from, count)));
    return write_to(*file, source, position);
}

Result<uint32_t> sys_preadv(int fd, UserPtr<const UserRange> vector, uint32_t count,
                            uint64_t position) {
    Ref<File> file = TRY(readable_file(fd));
    TRY(check_position(*file, position));
    RangeList ranges;
    TRY(ranges.load(vector, count));
    UserVectorSink sink(ranges.span());
    return with_memory([&] { return file->read_at(sink, position); });
}

Result<uint32_t> sys_pwritev(int fd, UserPtr<const UserRange> vector, uint32_t count,
                             uint64_t position) {
    Ref<File> file = TRY(writable_file(fd));
    TRY(check_position(*file, position));
    RangeList ranges;
    TRY(ranges.load(vector, count));
    UserVectorSource source(ranges.span());
    return write_to(*file, source, position);
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
    Ref<File> file = TRY(writable_file(fd));
    const bool at_offset = position == kAtOffset;
    if (!at_offset) TRY(check_position(*file, position));
    RangeList ranges;
    TRY(ranges.load(vector, count));
    UserVectorSource source(ranges.span());
    const uint32_t done = TRY(write_from(source, [&]() -> Result<uint32_t> {
        if (!(flags & kAppend) || !file->seekable())
            return at_offset ? file->write(source) : file->write_at(source, position);
        if (!at_offset) return file->append(source, position);
        return file->write_at_end(source);
    }));
    if (flags & (kDataSync | kSync)) TRY(file->sync(!(flags & kSync)));
    return done;
}

Result<uint32_t> sys_lseek(int fd, int32_t offset, int whence) {
    Ref<File> file = TRY(file_of(fd));
    if (file->flags() & kOpenPath) return Errno::badf;
    uint64_t position = TRY(file->seek(offset, whence));
    if (position > INT32_MAX) return Errno::overflow;
    return static_cast<uint32_t>(position);
}

Result<void> sys_llseek(int fd, uint32_t high, uint32_t low, UserPtr<uint64_t> result, int whence) {
    Ref<File> file = TRY(file_of(fd));
    if (file->flags() & kOpenPath) return Errno::badf;
    auto offset = static_cast<int64_t>(static_cast<uint64_t>(high) << 32 | low);
    return write_user(result, TRY(file->seek(offset, whence)));
}

// --- from one file to another

namespace {

// Copies until `count` bytes are through, the source ends or write(source) takes less than offered.
// `position` ends up behind what was written.
template <typename F>
Result<uint32_t> transfer(File& in, uint64_t& position, uint32_t count, F&& write) {
    Box<PageBuffer> buffer = TRY(make_box<PageBuffer>());
    uint32_t sent = 0;
    while (sent < count) {
        uint32_t wanted = count - sent < kPageSize ? count - sent : kPageSize;
        KernelSink sink(buffer->raw().first(wanted));
        Result<uint32_t> got = with_memory([&] { return in.read_at(sink, position); });
        if (got.is_error() && !sent) return got.error();
        if (got.is_error() || got.value() == 0) break;
        KernelSource source(buffer->raw().first(got.value()));
        Result<uint32_t> put = write(source);
        if (put.is_error() && !sent) return put.error();
        if (put.is_error()) break;
        position += put.value();
        sent += put.value();
        if (put.value() < got.value()) break;
    }
    return sent;
}

template <typename Offset>
Result<uint32_t> send_file(int out_fd, int in_fd, UserPtr<Offset> offset, uint32_t count) {
    Ref<File> in = TRY(readable_file(in_fd));
    Ref<File> out = TRY(writable_file(out_fd));
    if (offset && !in->seekable()) return Errno::spipe;
    if (!in->seekable() || (out->flags() & kOpenAppend)) return Errno::inval;
    if (static_cast<int32_t>(count) < 0) return Errno::inval;
    uint64_t position = 0;
    if (offset) {
        auto wanted = static_cast<int64_t>(TRY(read_user(offset)));
        if (wanted < 0) return Errno::inval;
        position = static_cast<uint64_t>(wanted);
    } else {
        position = TRY(in->seek(0, 1));
    }
    uint32_t sent = TRY(transfer(*in, position, std::min(count, kMaxTransfer),
                                 [&](ByteSource& source) { return write_next(*out, source); }));
    if (offset)
        TRY(write_user(offset, static_cast<Offset>(position)));
    else
        TRY(in->seek(static_cast<int64_t>(position), 0));
    return sent;
}

}  // namespace

Result<uint32_t> sys_sendfile(int out, int in, UserPtr<int32_t> offset, uint32_t count) {
    return send_file(out, in, offset, count);
}
Result<uint32_t> sys_sendfile64(int out, int in, UserPtr<int64_t> offset, uint32_t count) {
    return send_file(out, in, offset, count);
}

// Spec: copy_file_range(2): between regular files, or in one whose ranges don't overlap.
Result<uint32_t> sys_copy_file_range(int in_fd, UserPtr<int64_t> in_offset, int out_fd,
                                     UserPtr<int64_t> out_offset, uint32_t count, uint32_t flags) {
    if (flags) return Errno::inval;
    Ref<File> in = TRY(readable_file(in_fd));
    Ref<File> out = TRY(writable_file(out_fd));
    for (File* file : {in.get(), out.get()}) {
        const uint32_t type = TRY(file->attributes()).mode & kTypeMask;
        if (type != kTypeRegular) return type == kTypeDirectory ? Errno::isdir : Errno::inval;
    }
    if (out->flags() & kOpenAppend) return Errno::badf;
    int64_t from =
        in_offset ? TRY(read_user(in_offset)) : static_cast<int64_t>(TRY(in->seek(0, 1)));
    int64_t to =
        out_offset ? TRY(read_user(out_offset)) : static_cast<int64_t>(TRY(out->seek(0, 1)));
    if (from < 0 || to < 0) return Errno::inval;
    count = std::min(count, kMaxTransfer);
    if (in->inode() == out->inode() && from < to + count && to < from + count) return Errno::inval;
    auto source_at = static_cast<uint64_t>(from);
    auto target_at = static_cast<uint64_t>(to);
    const uint32_t sent = TRY(transfer(*in, source_at, count, [&](ByteSource& source) {
        Result<uint32_t> put = write_to(*out, source, target_at);
        target_at += put.value_or(0);
        return put;
    }));
    if (in_offset)
        TRY(write_user(in_offset, static_cast<int64_t>(source_at)));
    else
        TRY(in->seek(static_cast<int64_t>(source_at), 0));
    if (out_offset)
        TRY(write_user(out_offset, static_cast<int64_t>(target_at)));
    else
        TRY(out->seek(static_cast<int64_t>(target_at), 0));
    return sent;
}

constexpr SystemCall kReadWriteCalls[] = {
    CALL(3, read, sys_read),
    CALL(4, write, sys_write),
    CALL(19, lseek, sys_lseek),
    CALL(140, _llseek, sys_llseek),
    CALL(145, readv, sys_readv),
    CALL(146, writev, sys_writev),
    CALL(180, pread64, sys_pread64),
    CALL(181, pwrite64, sys_pwrite64),
    CALL(187, sendfile, sys_sendfile),
    CALL(239, sendfile64, sys_sendfile64),
    CALL(333, preadv, sys_preadv),
    CALL(334, pwritev, sys_pwritev),
    CALL(377, copy_file_range, sys_copy_file_range),
    CALL(378, preadv2, sys_preadv2),
    CALL(379, pwritev2, sys_pwritev2),
};
SYSTEM_CALLS(kReadWriteCalls);
