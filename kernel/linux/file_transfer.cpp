// From one file to another, within the kernel. Spec: sendfile(2), copy_file_range(2).
#include <algorithm>

#include "kernel/lib/preemption.hpp"
#include "kernel/syscall/file_io.hpp"

namespace {

struct LargeBuffer {
    LargeBuffer() {}  // leaves the bytes alone
    uint8_t bytes[16 * kPageSize];
};

// Copies until `count` bytes are through, the source ends or write(source) takes less than offered.
// `position` ends up behind what was written.
template <typename F>
Result<uint32_t> transfer(File& in, File& out, uint64_t& position, uint32_t count, F&& write) {
    // Sixteen pages at a time if they lie side by side somewhere: what each piece costs is a third of all otherwise. But
    // a thread that may sleep for long, in a full pipe, holds only one.
    const Box<LargeBuffer> large(
        count > kPageSize && out.seekable() ? new (std::nothrow) LargeBuffer : nullptr);
    Box<PageBuffer> page;
    if (!large) page = TRY(make_box<PageBuffer>());
    const std::span<uint8_t> buffer = large ? large->bytes : page->raw();
    uint32_t sent = 0;
    while (sent < count) {
        const uint32_t wanted = std::min(count - sent, static_cast<uint32_t>(buffer.size()));
        KernelSink sink(buffer.first(wanted));
        Result<uint32_t> got = with_memory([&] { return in.read_at(sink, position); });
        if (got.is_error() && !sent) return got.error();
        if (got.is_error() || got.value() == 0) break;
        KernelSource source(buffer.first(got.value()));
        Result<uint32_t> put = write(source);
        if (put.is_error() && !sent) return put.error();
        if (put.is_error()) break;
        position += put.value();
        sent += put.value();
        if (put.value() < got.value()) break;
        preemption_point();
    }
    auto all = [&]() -> Result<uint32_t> { return sent; };
    static_cast<void>(counted_read(all));
    return counted_write(all);
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
    uint32_t sent = TRY(transfer(*in, *out, position, std::min(count, kMaxTransfer),
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
    const uint32_t sent = TRY(transfer(*in, *out, source_at, count, [&](ByteSource& source) {
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

constexpr SystemCall kTransferCalls[] = {
    CALL(187, sendfile, sys_sendfile),
    CALL(239, sendfile64, sys_sendfile64),
    CALL(377, copy_file_range, sys_copy_file_range),
};
SYSTEM_CALLS(kTransferCalls);
