// Who may become whom: the rules of the set*id calls, the same for users and groups, over a view of
// the four ids. Pure.
// Spec: setuid(2), setreuid(2), setresuid(2), setfsuid(2); POSIX.1-2017 setuid(), setreuid().
#pragma once

#include <cstdint>

#include "kernel/lib/result.hpp"

constexpr uint32_t kKeep = UINT32_MAX;

struct Ids {
    uint32_t &real, &effective, &saved, &files;
    bool privileged;

    bool has(uint32_t id) const { return id == real || id == effective || id == saved; }
    bool may_become(uint32_t id) const { return id == kKeep || privileged || has(id); }
};

inline Result<void> set_id(Ids ids, uint32_t id) {
    if (id == kKeep) return Errno::inval;
    if (ids.privileged)
        ids.real = ids.saved = id;
    else if (id != ids.real && id != ids.saved)
        return Errno::perm;
    ids.effective = ids.files = id;
    return {};
}

inline Result<void> set_real_effective(Ids ids, uint32_t real, uint32_t effective) {
    bool real_allowed =
        real == kKeep || ids.privileged || real == ids.real || real == ids.effective;
    if (!real_allowed || !ids.may_become(effective)) return Errno::perm;
    bool save = real != kKeep || (effective != kKeep && effective != ids.real);
    if (real != kKeep) ids.real = real;
    if (effective != kKeep) ids.effective = effective;
    if (save) ids.saved = ids.effective;
    ids.files = ids.effective;
    return {};
}

inline Result<void> set_all_three(Ids ids, uint32_t real, uint32_t effective, uint32_t saved) {
    if (!ids.may_become(real) || !ids.may_become(effective) || !ids.may_become(saved))
        return Errno::perm;
    if (real != kKeep) ids.real = real;
    if (effective != kKeep) ids.effective = effective;
    if (saved != kKeep) ids.saved = saved;
    ids.files = ids.effective;
    return {};
}

inline uint32_t set_files_id(Ids ids, uint32_t id) {
    uint32_t old = ids.files;
    if (id != kKeep && (ids.privileged || ids.has(id) || id == ids.files)) ids.files = id;
    return old;
}
