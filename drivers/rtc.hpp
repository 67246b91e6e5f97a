// The battery-backed clock: the time of day at start-up.
// Spec: Motorola MC146818A.
#pragma once

#include "kernel/lib/types.hpp"

Nanoseconds rtc_now();  // since 1970-01-01 UTC, in whole seconds; 0 if there is no clock
