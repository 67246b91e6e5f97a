// See file_events.hpp.
#include "fs/file_events.hpp"

#include "fs/mount.hpp"

namespace {
constinit Atomic<uint32_t> moves = 0;
}

void tell_file_event(Dentry& file, uint32_t what) {
    FileEvent event{.what = what, .directory = file.is_directory(), .removed = file.removed()};
    char buffer[kMaxName];
    Ref<Dentry> parent;
    {
        LockGuard guard(dentry_lock);
        parent = Ref<Dentry>(file.parent_locked());
        event.name = {buffer, file.name_locked().copy(buffer, sizeof buffer)};
    }
    if (parent) file_event(*parent->inode(), event);
    event.name = {};
    file_event(*file.inode(), event);
}

void tell_name_event(Dentry& directory, std::string_view name, uint32_t what, bool is_directory,
                     uint32_t cookie) {
    file_event(*directory.inode(),
               {.what = what, .name = name, .cookie = cookie, .directory = is_directory});
}

void tell_own_event(Dentry& file, uint32_t what) {
    file_event(*file.inode(), {.what = what, .directory = file.is_directory()});
}

void tell_move(Dentry& from, std::string_view old_name, Dentry& to, std::string_view new_name,
               Dentry& file) {
    if (!file_watches.relaxed()) return;
    const uint32_t cookie = moves.add(1);
    tell_name_event(from, old_name, kNameLeft, file.is_directory(), cookie);
    tell_name_event(to, new_name, kNameArrived, file.is_directory(), cookie);
    tell_own_event(file, kFileMoved);
}
