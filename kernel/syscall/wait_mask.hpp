// The signal mask that ppoll, pselect6 and epoll_pwait put in force while they wait.
#pragma once

#include "kernel/proc/process.hpp"

// Whether there is one. EINVAL for a set of another size, EFAULT.
inline Result<bool> apply_mask(UserPtr<const SignalSet> mask, uint32_t bytes) {
    if (!mask) return false;
    if (bytes != sizeof(SignalSet)) return Errno::inval;
    set_temporary_mask(TRY(read_user(mask)));
    return true;
}

// It stays in force until a handler has run if a signal ended the wait.
inline Result<uint32_t> finish_mask(bool masked, Result<uint32_t> result) {
    bool by_signal = result.is_error() &&
                     (result.error() == Errno::restart_no_handler || result.error() == Errno::intr);
    if (masked && !by_signal) drop_temporary_mask();
    return result;
}
