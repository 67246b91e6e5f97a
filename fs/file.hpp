// File: an open file description, shared by all descriptors that were duplicated from one open().
// Files of all kinds derive from it: regular files, directories, pipes, devices, /proc.
// Locks: the offset has a Mutex of its own, taken by read/write/seek on seekable files; what an
// override touches is guarded as its own class says.
#pragma once

#include "fs/attributes.hpp"
#include "fs/error_sequence.hpp"
#include "fs/io.hpp"
#include "fs/path.hpp"
#include "kernel/lib/hooks.hpp"
#include "kernel/sync/mutex.hpp"
#include "mm/pager.hpp"

// Spec: open(2), Linux i386 values (octal).
constexpr uint32_t kOpenAccessMode = 3, kOpenReadOnly = 0, kOpenWriteOnly = 1, kOpenReadWrite = 2,
                   kOpenCreate = 0100, kOpenExclusive = 0200, kOpenNoTty = 0400,
                   kOpenTruncate = 01000, kOpenAppend = 02000, kOpenNonBlock = 04000,
                   kOpenSync = 04010000, kOpenAsync = 020000, kOpenDirect = 040000,
                   kOpenLargeFile = 0100000, kOpenDirectory = 0200000, kOpenNoFollow = 0400000,
                   kOpenNoAtime = 01000000, kOpenCloseOnExec = 02000000, kOpenPath = 010000000,
                   kOpenNameless = 020000000;  // O_TMPFILE is this and kOpenDirectory

// Spec: poll(2).
constexpr uint32_t kPollIn = 1, kPollPriority = 2, kPollOut = 4, kPollError = 8, kPollHangUp = 16,
                   kPollInvalid = 32, kPollReadNormal = 0x40, kPollWriteNormal = 0x100,
                   kPollReadHangUp = 0x2000, kPollAny = UINT32_MAX;
// POLLRDNORM and POLLWRNORM are what files don't tell apart from POLLIN and POLLOUT.
constexpr uint32_t with_normal_bits(uint32_t ready) {
    return ready | (ready & kPollIn ? kPollReadNormal : 0) |
           (ready & kPollOut ? kPollWriteNormal : 0);
}
constexpr uint32_t kPollAlways = kPollError | kPollHangUp;  // told though nobody asked

// Collects the queues on which a poll() waits. A null table means: only tell, nobody will wait.
class PollTable {
  public:
    // News of these `events` wakes the queue. It stays while the file is open, or `owner` does.
    void watch(WaitQueue& queue, uint32_t events = kPollAny, RefCounted* owner = nullptr) {
        join(queue, events, owner);
    }

  protected:
    ~PollTable() = default;
    virtual void join(WaitQueue& queue, uint32_t events, RefCounted* owner) = 0;
};

// Takes directory entries; returns false when it has no room for this one.
class DirectorySink {
  public:
    // `next` is the offset to continue from after this entry; `type` is a DT_* value (mode >> 12).
    virtual bool add(std::string_view name, InodeNo inode, uint32_t type, uint64_t next) = 0;

  protected:
    ~DirectorySink() = default;
};

class Inode;

class File : public OpenObject {
  public:
    explicit File(uint32_t flags) : flags_(flags) {}

    // read(2), write(2) at the file's own offset. Fewer bytes than asked is success; after a bad
    // user pointer the bytes before it count, EFAULT if there were none.
    Result<uint32_t> read(ByteSink& to);
    Result<uint32_t> write(ByteSource& from);
    Result<uint32_t> write_at_end(ByteSource& from);    // as with O_APPEND
    Result<uint64_t> seek(int64_t offset, int whence);  // ESPIPE, EINVAL
    Result<void> list(DirectorySink& sink);             // getdents at the offset; ENOTDIR

    bool readable() const {
        return (flags_ & kOpenAccessMode) != kOpenWriteOnly && !(flags_ & kOpenPath);
    }
    bool writable() const {
        return (flags_ & kOpenAccessMode) != kOpenReadOnly && !(flags_ & kOpenPath);
    }
    bool non_blocking() const { return flags() & kOpenNonBlock; }
    uint32_t flags() const { return flags_.relaxed(); }
    void set_flags(uint32_t flags) { flags_.store_relaxed(flags); }

    // Where it was opened (empty for pipes and the like), set by vfs open, which for who writes to a
    // regular file has called begin_writing().
    const Path& path() const { return path_; }
    // An error of writing back anything of its file system; each one once.
    Result<void> tell_file_system_errors();
    void set_path(Path path);

    // --- what a kind of file is. Access mode was checked by the caller of read()/write().
    virtual bool seekable() const { return false; }
    // The same everywhere (null, zero, full): not seekable, but every position is welcome.
    virtual bool uniform() const { return false; }
    // pread/pwrite; not seekable: the offset is ignored (and pread itself says ESPIPE).
    virtual Result<uint32_t> read_at(ByteSink& to, uint64_t offset);       // default EINVAL
    virtual Result<uint32_t> write_at(ByteSource& from, uint64_t offset);  // default EINVAL
    // Writes at the end, whatever the end is by then, and says where that was.
    virtual Result<uint32_t> append(ByteSource& from, uint64_t& offset);
    virtual Result<uint64_t> list_at(DirectorySink& sink, uint64_t offset);  // new offset; ENOTDIR
    virtual Result<int32_t> ioctl(uint32_t request, uint32_t argument);      // default ENOTTY
    virtual uint32_t poll(PollTable* table);                                 // default: in and out
    virtual bool pollable() const { return false; }  // poll() has queues to wait on
    // What /proc/PID/fd shows of a file that has neither a place nor a type.
    virtual std::string_view link_text() const { return {}; }
    virtual void put_details(class TextSink&) {}  // lines of its own in /proc/PID/fdinfo
    // Which class it is, for the calls on one kind of file only: the address of its kKind.
    virtual const void* kind() const { return nullptr; }
    virtual Result<Attributes> attributes() = 0;
    virtual Result<void> truncate(uint64_t size);  // default EINVAL
    // fallocate(2), if it allocates(): bytes [offset, end) have their room, or (`punch`) give it back
    // and are zeros; `keep_size`: the file's end stays. ENOSPC, ENOMEM, EFBIG: nothing changed.
    virtual bool allocates() const { return false; }
    virtual Result<void> allocate(uint64_t /*offset*/, uint64_t /*end*/, bool /*punch*/,
                                  bool /*keep_size*/) {
        return Errno::opnotsupp;
    }
    virtual bool may_be_direct() const { return false; }  // O_DIRECT
    // Bytes [offset, end) will be wanted soon, or not any more: posix_fadvise(2), readahead(2).
    virtual void will_need(uint64_t /*offset*/, uint64_t /*end*/) {}
    virtual void dont_need(uint64_t /*offset*/, uint64_t /*end*/) {}
    virtual void expect(AccessPattern /*pattern*/) {}  // of its reads from now on
    // sync_file_range(2): writes contents in [offset, end) that are dirty, or only waits until what is
    // on its way has arrived. EIO also for a write that failed before, unless it was told.
    virtual Result<void> sync_range(uint64_t /*offset*/, uint64_t /*end*/, bool /*write*/) {
        return {};
    }
    virtual Result<Ref<Pager>> pager();  // for mmap; default ENODEV
    // For a shared mapping of a file that is open for writing: cleared if it may not be written. EPERM.
    virtual Result<Ref<Pager>> shared_pager(bool& /*may_write*/) { return pager(); }
    virtual uint64_t end_offset() { return 0; }  // for SEEK_END and append
    virtual Inode* inode() { return nullptr; }   // null: no inode (pipes)

    Attachments attached;

  protected:
    ~File() override;
    void last_reference_dropped() const override;

  private:
    Atomic<uint32_t> flags_;
    bool counted_writer_ = false;  // of the mount, and the inode
    Mutex offset_lock_{LockRank::file_offset};
    uint64_t offset_ GUARDED_BY(offset_lock_) = 0;
    Path path_;
    ErrorSequence::Told file_system_errors_ = 0;
};

// Null if it is of another kind.
template <typename T>
T* file_as(File& file) {
    return file.kind() == &T::kKind ? static_cast<T*>(&file) : nullptr;
}

// A descriptor of `file` in `owner` (a process' table) was closed; or the last reference to `file`,
// which then is its own owner, is gone.
inline constinit HookList<File&, const void* /*owner*/> file_closed;
