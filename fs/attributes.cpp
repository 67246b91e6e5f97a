// See attributes.hpp.
#include "fs/attributes.hpp"

bool Credentials::in_group(uint32_t group) const {
    if (group == fsgid) return true;
    for (uint32_t i = 0; i < group_count; ++i)
        if (groups[i] == group) return true;
    return false;
}

// What dac_read_search covers.
static bool reads_only(const Ownership& file, uint32_t wanted) {
    const bool directory = (file.mode & kTypeMask) == kTypeDirectory;
    return !(wanted & ~(directory ? kMayRead | kMayExecute : kMayRead));
}

Result<void> check_permission(const Ownership& file, const Credentials& who, uint32_t wanted) {
    if ((wanted & kMayWrite) && file.immutable) return Errno::perm;
    if (who.may(Capability::dac_override)) {
        // Everything but running a file that nobody may run.
        bool runnable = (file.mode & 0111) || (file.mode & kTypeMask) == kTypeDirectory;
        if ((wanted & kMayExecute) && !runnable) return Errno::acces;
        return {};
    }
    // Only the first class that matches counts, even if a later one would allow more.
    uint32_t shift = file.uid == who.fsuid ? 6 : who.in_group(file.gid) ? 3 : 0;
    const bool granted = !(wanted & ~(file.mode >> shift) & 7);
    return granted || (reads_only(file, wanted) && who.may(Capability::dac_read_search))
               ? Result<void>()
               : Errno::acces;
}
