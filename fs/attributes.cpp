// See attributes.hpp.
#include "fs/attributes.hpp"

bool Credentials::in_group(uint32_t group) const {
    if (group == fsgid) return true;
    for (uint32_t i = 0; i < group_count; ++i)
        if (groups[i] == group) return true;
    return false;
}

Result<void> check_permission(const Ownership& file, const Credentials& who, uint32_t wanted) {
    if ((wanted & kMayWrite) && file.immutable) return Errno::perm;
    if (who.fsuid == 0) {
        // The superuser may do everything but run a file that nobody may run.
        bool runnable = (file.mode & 0111) || (file.mode & kTypeMask) == kTypeDirectory;
        if ((wanted & kMayExecute) && !runnable) return Errno::acces;
        return {};
    }
    // Only the first class that matches counts, even if a later one would allow more.
    uint32_t shift = file.uid == who.fsuid ? 6 : who.in_group(file.gid) ? 3 : 0;
    if (wanted & ~(file.mode >> shift) & 7) return Errno::acces;
    return {};
}
