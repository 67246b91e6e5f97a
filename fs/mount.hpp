// Mount: one file system (or a part of it: bind) made visible at a place in the tree of names.
// Invariant: whoever stands in a mount (working directories, open files, mounts further down) holds
// a reference through its Path, so a count of 1 (the table's) means that it can go.
// Locks: mount_table (Mutex) around every change; the list itself and `covered` of dentries also
// under dentry_lock, which is all that walking a path takes.
#pragma once

#include "fs/dentry.hpp"
#include "fs/vfs.hpp"
#include "kernel/lib/format.hpp"

constexpr uint32_t kMountReadOnly = 1, kMountNoSuid = 2, kMountNoDevices = 4, kMountNoExecute = 8,
                   kMountRemount = 32, kMountNoAtime = 1024, kMountBind = 4096;
constexpr uint32_t kMountFlagsKept =
    kMountReadOnly | kMountNoSuid | kMountNoDevices | kMountNoExecute | kMountNoAtime;
constexpr uint32_t kUnmountDetach = 2;

class Mount final : public RefCounted {
  public:
    Mount(Ref<FileSystem> fs, Ref<Dentry> top, Path where, uint32_t options, String from)
        : file_system(std::move(fs)),
          root(std::move(top)),
          place(std::move(where)),
          flags(options & kMountFlagsKept),
          source(std::move(from)) {}
    ~Mount() override;

    bool read_only() const { return (flags & kMountReadOnly) || file_system->read_only(); }

    const Ref<FileSystem> file_system;
    const Ref<Dentry> root;
    const Path place;  // what it covers; empty for the root of everything
    uint32_t flags;    // kMountFlagsKept
    const String source;
    ListNode node;
};

// The mount that covers this place, if any: the newest one.
Ref<Mount> mount_covering(const Mount& mount, const Dentry& dentry);

// With dentry_lock held: a mount whose top this is.
const Mount* mount_with_root_locked(const Dentry& top);

// The text of a place, built from its end in `buffer`, up to `stop` (null: the root of everything).
// `reached` tells whether the walk up met `stop`. ENAMETOOLONG.
Result<std::string_view> place_name(const Path& place, const Path* stop, std::span<char> buffer,
                                    bool& reached);

// A mount function that refuses says why in one line; what was said since the last clear.
// Callers hold mount_table, as all mounting does.
void mount_refused(std::string_view format, std::span<const FormatArgument> arguments);
template <typename... Args>
Errno refuse_mount(Errno error, std::string_view format, const Args&... args) {
    const FormatArgument arguments[] = {format_argument(args)..., FormatArgument{}};
    mount_refused(format, {arguments, sizeof...(args)});
    return error;
}

const FileSystemType* file_system_types();  // the first of all that were registered

// A device number for a file system without a device: 0:1, 0:2, ...
uint32_t new_anonymous_device();

// Some path of the file, from the root of everything; empty when no name is known.
std::string_view inode_name(const Inode& inode, std::span<char> buffer);
