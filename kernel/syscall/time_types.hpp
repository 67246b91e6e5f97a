// Times as programs pass them, and Nanoseconds as the kernel counts them. Pure but for the copies.
// Spec: Linux i386: old calls have 32-bit seconds, those of number 403 and up 64-bit ones.
#pragma once

#include "kernel/arch/user_access.hpp"
#include "kernel/lib/types.hpp"

constexpr uint32_t kNanosecondsPerSecond = 1'000'000'000;
constexpr Nanoseconds kForever{INT64_MAX};

struct TimeSpec32 {
    int32_t seconds, nanoseconds;
};
struct TimeSpec64 {
    int64_t seconds;
    int32_t nanoseconds, padding;
};
struct TimeVal32 {
    int32_t seconds, microseconds;
};
static_assert(sizeof(TimeSpec32) == 8 && sizeof(TimeSpec64) == 16 && sizeof(TimeVal32) == 8);

// EINVAL for negative times and fractions out of range; what is too far away is for ever.
inline Result<Nanoseconds> nanoseconds_of(int64_t seconds, int32_t nanoseconds) {
    if (seconds < 0 || static_cast<uint32_t>(nanoseconds) >= kNanosecondsPerSecond)
        return Errno::inval;
    if (static_cast<uint64_t>(seconds) >= kForever.raw() / kNanosecondsPerSecond) return kForever;
    return Nanoseconds(static_cast<uint64_t>(seconds) * kNanosecondsPerSecond +
                       static_cast<uint32_t>(nanoseconds));
}
inline Result<Nanoseconds> nanoseconds_of(const TimeSpec32& t) {
    return nanoseconds_of(t.seconds, t.nanoseconds);
}
inline Result<Nanoseconds> nanoseconds_of(const TimeSpec64& t) {
    return nanoseconds_of(t.seconds, t.nanoseconds);
}
inline Result<Nanoseconds> nanoseconds_of(const TimeVal32& t) {
    if (static_cast<uint32_t>(t.microseconds) >= 1'000'000) return Errno::inval;
    return nanoseconds_of(t.seconds, t.microseconds * 1000);
}

template <typename T>
T to_time(Nanoseconds time) {
    uint64_t seconds = time.raw() / kNanosecondsPerSecond;
    auto rest = static_cast<int32_t>(time.raw() - seconds * kNanosecondsPerSecond);
    T result{};
    result.seconds = static_cast<decltype(result.seconds)>(seconds);
    if constexpr (requires { result.microseconds; })
        result.microseconds = rest / 1000;
    else
        result.nanoseconds = rest;
    return result;
}

template <typename T>
Result<Nanoseconds> read_time(UserPtr<const T> from) {
    return nanoseconds_of(TRY(read_user(from)));
}

// The moment `time` after `now`, never the 0 that stands for "no deadline".
constexpr Nanoseconds deadline_after(Nanoseconds now, Nanoseconds time) {
    return time >= kForever - now.raw() ? kForever
                                        : now + time.raw() + (now.raw() + time.raw() == 0);
}

template <typename T>
struct TimePair {  // of utimensat(2) and kin
    T accessed, modified;
};
