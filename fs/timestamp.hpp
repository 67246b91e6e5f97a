// The time of day as files store it.
#pragma once

#include "fs/attributes.hpp"
#include "kernel/sched/clock.hpp"

inline Timestamp timestamp_now() {
    constexpr uint32_t kPerSecond = 1'000'000'000;
    const uint64_t now = realtime_now().raw();
    const uint64_t seconds = now / kPerSecond;
    return {static_cast<int64_t>(seconds), static_cast<uint32_t>(now - seconds * kPerSecond)};
}
