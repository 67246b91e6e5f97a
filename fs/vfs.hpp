// The virtual file system: what system calls on names and files do, once user memory has been
// copied in. Every call takes the caller's view (FsContext): root, working directory, credentials,
// umask. Names are whole strings; `base` is where a relative one starts (cwd, or a directory's
// descriptor). Errors are those of the manual page of the call.
// Locks: takes mount_table, rename, directory and inode locks; call with no spin lock held.
#pragma once

#include "fs/inode.hpp"

struct FsContext {
    Path root;
    Path cwd;  // changed and read by others with the functions below
    Credentials credentials;
    uint32_t umask = 022;
    uint32_t way = 0;  // kWay...: what names looked up with it may not do
};

// Spec: openat2(2), RESOLVE_*.
constexpr uint32_t kWayOneMount = 1, kWayNoMagicLinks = 2, kWayNoLinks = 4, kWayBelowRoot = 8,
                   kWayInRoot = 16;

constexpr uint32_t kMaxPath = 4096, kMaxName = 255, kMaxSymlinks = 40;

enum class Follow : bool { no, yes };

Result<Path> resolve(const FsContext& who, const Path& base, std::string_view name, Follow follow);
Inode& inode_of(const Path& path);
Path working_directory(const FsContext& who);
Path root_directory(const FsContext& who);
bool path_removed(const Path& path);  // its name is gone: getcwd says ENOENT
// Text of a path from `who.root`; "(unreachable)" semantics as getcwd(2); " (deleted)" for /proc.
Result<std::string_view> path_name(const FsContext& who, const Path& path, std::span<char> buffer);

Result<Ref<File>> vfs_open(const FsContext& who, const Path& base, std::string_view name,
                           uint32_t flags, uint32_t mode);
Result<Ref<File>> open_path(const FsContext& who, const Path& path, uint32_t flags);
Result<Attributes> vfs_stat(const FsContext& who, const Path& base, std::string_view name,
                            Follow follow);
// An empty name means `base` itself.
Result<void> vfs_access(const FsContext& who, const Path& base, std::string_view name,
                        uint32_t wanted, Follow follow);
Result<void> vfs_mkdir(const FsContext& who, const Path& base, std::string_view name,
                       uint32_t mode);
Result<void> vfs_mknod(const FsContext& who, const Path& base, std::string_view name, uint32_t mode,
                       uint32_t device);
Result<void> vfs_unlink(const FsContext& who, const Path& base, std::string_view name);
Result<void> vfs_rmdir(const FsContext& who, const Path& base, std::string_view name);
Result<void> vfs_link(const FsContext& who, const Path& old_base, std::string_view old_name,
                      const Path& new_base, std::string_view new_name, Follow follow);
Result<void> vfs_link_file(const FsContext& who, const Path& file, const Path& base,
                           std::string_view name);
Result<void> vfs_symlink(const FsContext& who, std::string_view target, const Path& base,
                         std::string_view name);
// What is to become of what has the new name: it goes, EEXIST, or it gets the old name (ENOENT: there
// is none; EINVAL: the file system cannot do that).
enum class Rename : uint8_t { replace, keep, exchange };
Result<void> vfs_rename(const FsContext& who, const Path& old_base, std::string_view old_name,
                        const Path& new_base, std::string_view new_name,
                        Rename how = Rename::replace);
Result<uint32_t> vfs_readlink(const FsContext& who, const Path& base, std::string_view name,
                              std::span<char> buffer);
// chmod, chown, utimes: ownership rules checked here. The Path variants serve f* calls.
Result<void> vfs_set_attributes(const FsContext& who, const Path& path,
                                const SetAttributes& changes);
// Spec: ioctl_iflags(2). EPERM for others than the owner, and for immutable and append-only but the
// superuser; ENOTTY where files have no flags.
constexpr uint32_t kFlagImmutable = 0x10, kFlagAppendOnly = 0x20, kFlagNoDump = 0x40,
                   kFlagNoAtime = 0x80;
Result<void> vfs_set_flags(const FsContext& who, const Path& path, uint32_t flags);
Result<void> vfs_truncate(const FsContext& who, const Path& path, uint64_t size);
Result<void> vfs_chdir(FsContext& who, const Path& path);  // ENOTDIR, EACCES
Result<void> vfs_chroot(FsContext& who, const Path& path);
FileSystemStatistics vfs_statistics(const Path& path);

// Spec: mount(2), umount2(2).
// The disk that a name stands for. ENOTBLK, ENXIO.
class BlockDevice;
Result<BlockDevice*> device_named(const FsContext& who, std::string_view name);
Result<void> vfs_mount(const FsContext& who, std::string_view source, std::string_view target,
                       std::string_view type, uint32_t flags, std::string_view options);
Result<void> vfs_unmount(const FsContext& who, std::string_view target, uint32_t flags);
// At boot: mounts `source` of the first type that knows it as the root of everything.
Result<Path> mount_root(std::string_view source, bool read_only);
Result<void> vfs_sync_all();
void vfs_write_metadata();  // what the write-back thread does now and then
void vfs_look_at_clock();   // and twice a second
void vfs_stop();            // before the machine stops: all is written, nothing will be from now on

// Why the last mount failed, one line per type tried.
std::string_view mount_refusals();

// One line per mount, as in /proc/mounts and /proc/self/mountinfo (proc(5)).
void list_mounts(const FsContext& who, class TextSink& sink);
void list_mount_details(const FsContext& who, class TextSink& sink);
