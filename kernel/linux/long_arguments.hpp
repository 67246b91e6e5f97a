// Arguments in memory that grow with the kernel's versions: a program says how long its structure is. What
// is missing of ours is zero; what it has beyond ours must be zero, for we can't do what it means.
// Spec: clone(2), openat2(2), "Extensibility".
#pragma once

#include <algorithm>

#include "kernel/syscall/system_call.hpp"

// EINVAL: shorter than `least`; E2BIG: longer than a page, or it asks for more than we know; EFAULT.
template <typename T>
Result<T> read_long_arguments(UserPtr<const T> from, uint32_t bytes, uint32_t least) {
    if (bytes < least) return Errno::inval;
    if (bytes > kPageSize) return Errno::toobig;
    T known{};
    TRY(copy_from_user(&known, from.address(), std::min<uint32_t>(bytes, sizeof known)));
    for (uint32_t at = sizeof known; at < bytes; ++at)
        if (TRY(read_user(UserPtr<const uint8_t>(from.address().raw() + at)))) return Errno::toobig;
    return known;
}
