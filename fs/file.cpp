// See file.hpp.
#include "fs/file.hpp"

#include "fs/file_events.hpp"
#include "fs/mount.hpp"

namespace {
constexpr int kSeekSet = 0, kSeekCurrent = 1, kSeekEnd = 2, kSeekData = 3, kSeekHole = 4;
}

void File::last_reference_dropped() const {
    file_closed(const_cast<File&>(*this), this);
    delete this;
}

File::~File() {
    if (!counted_writer_) return;
    path_.mount().writers.subtract(1);
    path_.dentry().inode()->end_writing();
}

void File::set_path(Path path) {
    path_ = std::move(path);
    file_system_errors_ = path_.mount().file_system->write_errors.opened();
    counted_writer_ = writable() && path_.dentry().type() == kTypeRegular;
    if (counted_writer_) path_.mount().writers.add(1);
}

Result<void> File::tell_file_system_errors() {
    return path_.mount().file_system->write_errors.tell(file_system_errors_);
}

Result<uint32_t> File::read(ByteSink& to) {
    if (!seekable()) {
        const uint32_t done = TRY(read_at(to, 0));
        if (done) happened(path_, kFileRead);
        return done;
    }
    LockGuard guard(offset_lock_);
    uint32_t done = TRY(read_at(to, offset_));
    offset_ += done;
    return done;
}

Result<uint32_t> File::write(ByteSource& from) {
    if (!seekable()) return write_at(from, 0);
    if (flags() & kOpenAppend) return write_at_end(from);
    LockGuard guard(offset_lock_);
    const uint32_t done = TRY(write_at(from, offset_));
    offset_ += done;
    return done;
}

Result<uint32_t> File::write_at_end(ByteSource& from) {
    LockGuard guard(offset_lock_);
    uint64_t offset = offset_;
    const uint32_t done = TRY(append(from, offset));
    offset_ = offset + done;
    return done;
}

Result<uint64_t> File::seek(int64_t offset, int whence) {
    if (uniform()) return 0u;
    if (!seekable()) return Errno::spipe;
    LockGuard guard(offset_lock_);
    int64_t base = 0;
    switch (whence) {
        case kSeekSet: break;
        case kSeekCurrent: base = static_cast<int64_t>(offset_); break;
        case kSeekEnd: base = static_cast<int64_t>(end_offset()); break;
        case kSeekData:
        case kSeekHole: {  // one piece of data, and a hole at its end
            auto end = static_cast<int64_t>(end_offset());
            if (offset < 0 || offset >= end) return Errno::nxio;
            if (whence == kSeekHole) offset = end;
            break;
        }
        default: return Errno::inval;
    }
    int64_t target;
    if (__builtin_add_overflow(base, offset, &target)) return Errno::overflow;
    if (target < 0) return Errno::inval;
    offset_ = static_cast<uint64_t>(target);
    return offset_;
}

Result<void> File::list(DirectorySink& sink) {
    LockGuard guard(offset_lock_);
    offset_ = TRY(list_at(sink, offset_));
    return {};
}

Result<uint32_t> File::read_at(ByteSink&, uint64_t) { return Errno::inval; }
Result<uint32_t> File::write_at(ByteSource&, uint64_t) { return Errno::inval; }
Result<uint32_t> File::append(ByteSource& from, uint64_t& offset) {
    offset = end_offset();
    return write_at(from, offset);
}
Result<uint64_t> File::list_at(DirectorySink&, uint64_t) { return Errno::notdir; }
Result<int32_t> File::ioctl(uint32_t, uint32_t) { return Errno::notty; }
uint32_t File::poll(PollTable*) { return kPollIn | kPollOut; }
Result<void> File::truncate(uint64_t) { return Errno::inval; }
Result<Ref<Pager>> File::pager() { return Errno::nodev; }
