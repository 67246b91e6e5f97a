// What setitimer(2) takes for timers of CPU time: implemented by a room above, which may be left out.
#pragma once

#include "kernel/lib/result.hpp"
#include "kernel/sched/clock.hpp"

constexpr uint32_t kTimerReal = 0, kTimerVirtual = 1, kTimerProfile = 2;

struct IntervalSetting {
    Nanoseconds left{0}, interval{0};  // left 0: it is off
};

// The caller's timer `which` (not kTimerReal), and then, unless null, what it is to be. ENOMEM.
// Null: there are none.
inline Result<IntervalSetting> (*cpu_interval_timer)(uint32_t which,
                                                     const IntervalSetting* wanted) = nullptr;
