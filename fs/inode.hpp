// Inode: a file of a mounted file system, whatever its kind. FileSystem: a mounted instance.
// An inode object exists once per file while it is referred to (each file system keeps its own
// table), so its locks are the file's locks.
// Locks: names of a directory: its `names` Mutex (rank directory), taken by vfs around lookup_child
// and every change; contents and size: the implementation's own.
#pragma once

#include "fs/error_sequence.hpp"
#include "fs/file.hpp"
#include "kernel/lib/ref.hpp"
#include "kernel/lib/string.hpp"

class BlockDevice;
class TextSink;

class FileSystem;

struct SetAttributes {  // null pointers and empty flags leave things alone
    bool set_mode = false, set_uid = false, set_gid = false, set_times = false;
    bool set_accessed = false, set_modified = false;  // set_times: one of these two
    bool times_are_now = false;  // utimes(NULL): the right to write is enough; vfs checks
    uint32_t mode = 0, uid = 0, gid = 0;
    Timestamp accessed, modified;

    void apply(Attributes& to, const Timestamp& now) const;  // for those who keep them as they are
};

struct FileSystemStatistics {  // statfs(2)
    uint32_t type = 0, block_size = kPageSize;
    uint64_t blocks = 0, free_blocks = 0, available_blocks = 0, files = 0, free_files = 0;
    uint32_t name_max = 255;
    uint64_t id = 0;  // 0: its device number is as good
};

extern SpinLock dentry_lock;
class Inode : public RefCounted {
  public:
    explicit Inode(FileSystem& file_system) : file_system_(file_system) {}
    FileSystem& file_system() const { return file_system_; }

    virtual Attributes attributes() = 0;
    // The part of the attributes that permission checks need, for each directory of each path:
    // worth overriding where `attributes` is slow.
    virtual Ownership ownership();
    // Opens it: permission was checked, truncation is done by vfs afterwards. `flags` as open(2).
    // Device nodes and FIFOs don't come here: fs/devices.hpp, fs/fifo_hook.hpp.
    virtual Result<Ref<File>> open(uint32_t flags) = 0;

    // --- directories; defaults: ENOTDIR for look-up, EROFS for changes
    virtual Result<Ref<Inode>> lookup_child(std::string_view name);  // not "." or ".."; ENOENT
    virtual Result<Ref<Inode>> create_child(std::string_view name, uint32_t mode,
                                            const Credentials& owner, uint32_t special_device);
    virtual Result<Ref<Inode>> create_symlink(std::string_view name, std::string_view target,
                                              const Credentials& owner);
    // A regular file that no name leads to (O_TMPFILE). Default EOPNOTSUPP.
    virtual Result<Ref<Inode>> create_nameless(uint32_t mode, const Credentials& owner);
    virtual Result<void> link_child(std::string_view name, Inode& inode);
    virtual Result<void> remove_child(std::string_view name, Inode& inode, bool directory);
    virtual Result<void> rename_child(std::string_view name, Inode& inode, Inode& new_parent,
                                      std::string_view new_name, Inode* replaced);
    // Both are there, and each gets the other's name: renameat2(2). Default EINVAL.
    virtual Result<void> exchange_children(std::string_view name, Inode& inode, Inode& other_parent,
                                           std::string_view other_name, Inode& other);
    // getdents from `offset`, "." and ".." included; the offset to go on from. Default ENOTDIR.
    virtual Result<uint64_t> list(DirectorySink& sink, uint64_t offset);
    // False for directories whose contents change by themselves (/proc): names aren't cached.
    virtual bool names_cachable() const { return true; }

    // --- symbolic links: the target; EINVAL. Fills `buffer` as far as it reaches.
    virtual Result<uint32_t> read_link(std::span<char> buffer);
    // /proc/<pid>/exe and fd: the place itself rather than a name for it.
    virtual Result<Path> follow_magic_link() { return Errno::inval; }
    // The same for what has no place (/proc/<pid>/fd of a pipe): the file itself.
    virtual Result<Ref<File>> open_magic_link(uint32_t) { return Errno::inval; }

    // It was read; `relative`: only the first time after a change, and once a day, needs keeping.
    virtual void note_access(bool /*relative*/) {}
    virtual Result<void> set_attributes(const SetAttributes& changes);  // default EROFS
    // chattr(1)'s flags, kFlag... in vfs.hpp; those that can't be changed are left alone. Default ENOTTY.
    virtual Result<uint32_t> flags();
    virtual Result<void> set_flags(uint32_t flags);
    virtual Result<void> truncate(uint64_t size);  // default EINVAL
    // fsync, fdatasync (`contents` only): all is on the disk when this returns.
    virtual Result<void> sync(bool contents);  // default: nothing to do
    // Its blocks as a device, for swapping: all are there and stay where they are for as long as the
    // device lives, and nobody may write, cut or rename the file (ETXTBSY, EPERM). EINVAL: it has
    // none, or holes; EBUSY: they are in use already.
    virtual Result<Box<BlockDevice>> as_device();

    // A regular file is open for writing, or a program that runs, never both: ETXTBSY. Each of the first
    // two that succeeds is ended by its other half.
    Result<void> begin_writing() { return take_turn(1); }
    Result<void> begin_running() { return take_turn(-1); }
    void end_writing() { turns_.subtract(1); }
    bool open_for_writing() const { return turns_.relaxed() > 0; }
    void end_running() { turns_.add(1); }

    Mutex names{LockRank::directory};
    // A file without a name may get one: it never had any, nor was it opened with O_EXCL. Atomic.
    Atomic<bool> may_be_named = false;
    // Where those who name this file meet: the buffer of a FIFO while it is open, the socket that is
    // bound to it. kernel/ipc's own, guarded by it.
    Ref<RefCounted> rendezvous;
    Attachments attached;  // of rooms above

  private:
    friend class Dentry;
    Result<void> take_turn(int32_t step);
    FileSystem& file_system_;
    Atomic<int32_t> turns_ = 0;                        // how many write, or (negative) run it
    Dentry* alias_ GUARDED_BY(dentry_lock) = nullptr;  // some name of it
};

// A user other than the superuser changes its contents: a program does not lend its owner's rights then.
Result<void> drop_privileges(Inode& inode);

class FileSystem : public RefCounted {
  public:
    virtual std::string_view type_name() const = 0;  // "ext2", as in /proc/mounts
    virtual Ref<Inode> root() = 0;
    virtual FileSystemStatistics statistics() = 0;
    virtual bool read_only() const { return false; }
    virtual uint32_t device_number() const = 0;
    virtual Result<void> sync() { return {}; }
    ErrorSequence write_errors;  // for syncfs: those of all its files, and of its metadata
    // Writes metadata that has waited long enough, and with it what makes it meaningful.
    virtual void write_metadata() {}
    // Called twice a second, for a file system with an interval of its own.
    virtual void look_at_clock() {}
    virtual void put_options(TextSink&) const {}  // for /proc/mounts: each with a comma before it
    // From reading only to writing too, or back: then it is left in good order.
    virtual Result<void> set_read_only(bool) { return {}; }
    // Files without a name that are open: their space comes back only while it may be written.
    virtual bool has_nameless_files() { return false; }
    uint32_t mounts GUARDED_BY(dentry_lock) = 0;  // how many there are of it
    // Its last mount is gone and no name of it is cached any more: let go of what pins it.
    virtual void unmounted() {}
};

// A kind of file system: "ext2", "tmpfs", "proc". `source` is a device path or anything.
struct FileSystemType {
    std::string_view name;
    bool needs_device;
    Result<Ref<FileSystem>> (*mount)(std::string_view source, uint32_t flags,
                                     std::string_view options);
    FileSystemType* next = nullptr;
    bool may_be_root = true;
};
void register_file_system(FileSystemType& type);
