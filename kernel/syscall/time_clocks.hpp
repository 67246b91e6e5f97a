// Clocks that time.cpp does not know: those of a room above, which installs this at start-up. EINVAL.
#pragma once

#include "kernel/lib/result.hpp"
#include "kernel/lib/types.hpp"

extern Result<Nanoseconds> (*other_clock)(int number);
