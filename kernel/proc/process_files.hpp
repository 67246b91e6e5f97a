// For the room that has descriptors of processes, if there is one.
#pragma once

#include "kernel/proc/process.hpp"

struct ProcessFileHooks {
    Result<int> (*clone)(const TrapFrame& frame, const CloneArguments&) = nullptr;  // CLONE_PIDFD
    // The child that this descriptor names, and whether one may wait for it. EBADF, EINVAL, ECHILD.
    Result<int> (*child)(int fd, bool& waits) = nullptr;
};
inline constinit ProcessFileHooks process_files{};
