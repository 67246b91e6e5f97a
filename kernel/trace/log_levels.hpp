// Which lines of the log reach the console: those with a smaller level number. Spec: syslog(2).
// Locks: none; each is one word.
#pragma once

#include "kernel/lib/atomic.hpp"

inline constinit Atomic<uint32_t> console_level = 8, least_console_level = 1;
