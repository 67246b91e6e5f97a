// Mounts without a place: those of the calls that make a mount in steps (fsopen(2), open_tree(2)). One is
// alive for as long as a reference to it is kept; drop_detached() when nobody will place it any more.
// Locks: each function takes mount_table.
#pragma once

#include "fs/mount.hpp"

// A mount of that type, with the errors of vfs_mount, and then why in `refusal`.
Result<Ref<Mount>> make_detached(const FsContext& who, FileSystemType& type,
                                 std::string_view source, uint32_t flags, std::string_view options,
                                 TextSink& refusal);
// A copy of what is seen there; `recursive`: with what lies on it. EINVAL: that is detached itself.
Result<Ref<Mount>> clone_detached(const Path& from, bool recursive);
// Lets go of it, and of what lies on it, unless it was given a place.
void drop_detached(Ref<Mount> mount);
// The mount whose top `from` is, placed or not, is at `to` from now on. ENOENT, EINVAL, ELOOP.
Result<void> move_mount_to(const Path& from, const Path& to);
// Read-only or not, the whole file system. EINVAL: it is not mounted any more; EBUSY, EROFS.
Result<void> set_file_system_read_only(FileSystem& file_system, bool read_only);
// kMount... flags of the mount whose top `top` is; `recursive`: of those on it too, all or none.
// EINVAL, EBUSY: files are open for writing.
Result<void> change_mount_flags(const Path& top, uint32_t clear, uint32_t set, bool recursive);
