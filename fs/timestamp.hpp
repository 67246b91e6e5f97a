// The time of day as files store it.
#pragma once

#include "fs/attributes.hpp"
#include "kernel/sched/clock.hpp"

// Whether a time of access needs keeping when it is kept relative to changes: it is older than the
// last one of them, or than a day. In seconds.
template <typename Seconds>
constexpr bool access_is_news(Seconds accessed, Seconds modified, Seconds changed, Seconds now) {
    constexpr Seconds kDay = 24 * 60 * 60;
    return accessed <= modified || accessed <= changed || now - accessed >= kDay;
}

inline Timestamp timestamp_now() {
    constexpr uint32_t kPerSecond = 1'000'000'000;
    const uint64_t now = realtime_now().raw();
    const uint64_t seconds = now / kPerSecond;
    return {static_cast<int64_t>(seconds), static_cast<uint32_t>(now - seconds * kPerSecond)};
}
