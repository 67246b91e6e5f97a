// What all calls that read or write a file share: the file behind a descriptor, if it may be read or
// written; limits and signals of a write.
#pragma once

#include <algorithm>

#include "fs/file_events.hpp"
#include "kernel/syscall/system_call.hpp"
#include "mm/reclaim.hpp"

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

// A file without positions is ESPIPE, whatever it is open for.
inline Result<void> check_position(int fd, uint64_t position) {
    if (static_cast<int64_t>(position) < 0) return Errno::inval;
    Ref<File> file = TRY(file_of(fd));
    if (!file->seekable() && !file->uniform() && !(file->flags() & kOpenPath)) return Errno::spipe;
    return {};
}

// Calls write(), with RLIMIT_FSIZE in the source. A pipe without readers: EPIPE comes with SIGPIPE;
// not a byte below the limit: EFBIG comes with SIGXFSZ. Without O_LARGEFILE a file ends at 2 GiB too:
// EFBIG alone.
template <typename F>
Result<uint32_t> write_from(const File& file, ByteSource& source, F&& write) {
    constexpr uint32_t kLargestSmallFile = INT32_MAX;
    const bool small = !(file.flags() & kOpenLargeFile);
    const uint32_t limit = current_process().limits[limit_fsize].soft;
    if (limit != kInfinite || small) [[unlikely]]
        source.set_end(small ? std::min(limit, kLargestSmallFile) : limit);
    if (!context().credentials.may(Capability::fsetid)) source.set_unprivileged();
    Result<uint32_t> result = with_memory(write);
    if (result.value_or(0)) happened(file.path(), kFileWritten);
    if (result.is_error()) [[unlikely]] {
        if (result.error() == Errno::pipe) raise_signal(kSigPipe);
        if (source.refused() && source.end() == limit) raise_signal(kSigXfsz);
    }
    return result;
}
inline Result<uint32_t> write_next(File& file, ByteSource& source) {
    return write_from(file, source, [&] { return file.write(source); });
}

// Linux appends here too, whatever the position says.
inline Result<uint32_t> write_to(File& file, ByteSource& source, uint64_t position) {
    return write_from(file, source, [&] {
        return file.flags() & kOpenAppend ? file.append(source, position)
                                          : file.write_at(source, position);
    });
}
