// What happens to files and names, told to a room above that watches some of them (inotify(7)). While
// nothing is watched, telling is one comparison.
// Locks: none are needed; a directory's `names` may be held. Who is told may not sleep.
#pragma once

#include <string_view>

#include "fs/file.hpp"

class Dentry;
class FileSystem;

// inotify(7)'s values.
constexpr uint32_t kFileRead = 1, kFileWritten = 2, kFileChanged = 4, kFileClosedWritten = 8,
                   kFileClosed = 16, kFileOpened = 32, kNameLeft = 64, kNameArrived = 128,
                   kNameMade = 256, kNameRemoved = 512, kFileDeleted = 1024, kFileMoved = 2048,
                   kFileUnmounted = 8192;

struct FileEvent {
    uint32_t what = 0;
    std::string_view name = {};  // in the directory that is told; empty: of the file itself
    uint32_t cookie = 0;         // the same for both halves of a move
    bool directory = false;      // what it happened to is one
    bool removed = false;        // that name is gone
};

inline constinit Atomic<uint32_t> file_watches = 0;  // how many there are
inline constinit HookList<Inode&, const FileEvent&> file_event;
// The last mount of it goes: all its files are kFileUnmounted.
inline constinit HookList<FileSystem&> file_system_leaves;

// The inode is about to be opened with these flags, or cut off (kOpenWriteOnly): who has a lease on it is
// told, and waited for. EAGAIN (kOpenNonBlock), Errno::restart. Called while there are leases.
inline constinit Atomic<uint32_t> file_leases = 0;
using LeaseBreaker = Result<void> (*)(Inode& inode, uint32_t flags);
inline constinit LeaseBreaker break_leases = nullptr;

// How many refer to the file of this name by any of its names, those that have it open among them; a name
// that was removed counts only if it is this one. Locks: takes dentry_lock; it looks at all that are cached.
uint32_t count_holders(const Dentry& name);

void tell_file_event(Dentry& file, uint32_t what);
void tell_name_event(Dentry& directory, std::string_view name, uint32_t what, bool is_directory,
                     uint32_t cookie);
void tell_own_event(Dentry& file, uint32_t what);
void tell_move(Dentry& from, std::string_view old_name, Dentry& to, std::string_view new_name,
               Dentry& file);

// --- who does something says so by these

// To the file, and the directory that it is in.
inline void happened(const Path& path, uint32_t what) {
    if (file_watches.relaxed() && path) [[unlikely]]
        tell_file_event(path.dentry(), what);
}
// To the file alone.
inline void happened_to(Dentry& file, uint32_t what) {
    if (file_watches.relaxed()) [[unlikely]]
        tell_own_event(file, what);
}
// To the directory alone.
inline void happened_in(Dentry& directory, std::string_view name, uint32_t what,
                        bool is_directory) {
    if (file_watches.relaxed()) [[unlikely]]
        tell_name_event(directory, name, what, is_directory, 0);
}
