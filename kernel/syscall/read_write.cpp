// Reading and writing open files, at their offset or at a given one. From several ranges:
// vectored_io.cpp; from one file to another: file_transfer.cpp.
// Spec: read(2), write(2), pread(2), lseek(2).
#include "kernel/syscall/file_io.hpp"

Result<uint32_t> sys_read(int fd, UserPtr<void> to, uint32_t count) {
    Ref<File> file = TRY(readable_file(fd));
    UserSink sink(TRY(user_range(to, count)));
    return counted_read([&] { return with_memory([&] { return file->read(sink); }); });
}

Result<uint32_t> sys_write(int fd, UserPtr<void> from, uint32_t count) {
    Ref<File> file = TRY(writable_file(fd));
    UserSource source(TRY(user_range(from, count)));
    return counted_write([&] { return write_next(*file, source); });
}

Result<uint32_t> sys_pread64(int fd, UserPtr<void> to, uint32_t count, uint64_t position) {
    TRY(check_position(fd, position));
    Ref<File> file = TRY(readable_file(fd));
    UserSink sink(TRY(user_range(to, count)));
    return counted_read([&] { return with_memory([&] { return file->read_at(sink, position); }); });
}

Result<uint32_t> sys_pwrite64(int fd, UserPtr<void> from, uint32_t count, uint64_t position) {
    TRY(check_position(fd, position));
    Ref<File> file = TRY(writable_file(fd));
    UserSource source(TRY(user_range(from, count)));
    return counted_write([&] { return write_to(*file, source, position); });
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

constexpr SystemCall kReadWriteCalls[] = {
    CALL(3, read, sys_read),         CALL(4, write, sys_write),
    CALL(19, lseek, sys_lseek),      CALL(140, _llseek, sys_llseek),
    CALL(180, pread64, sys_pread64), CALL(181, pwrite64, sys_pwrite64),
};
SYSTEM_CALLS(kReadWriteCalls);
