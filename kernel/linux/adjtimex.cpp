// adjtimex: the wall clock is brought to another one's time by running faster or slower for a while.
//
//   each second:  rate = frequency + tick + a part of the offset that is left (PLL) + up to 500 us (adjtime)
//
// The monotonic clock is not steered. Timers that were set for an instant of the wall clock keep the instant that
// it was then.
// Locks: `lock` (an IrqSpinLock, rank timer_file) for all.
// Spec: adjtimex(2), adjtime(3), clock_adjtime(2); the kernel's PLL: RFC 5905, section 11.
#include <algorithm>

#include "kernel/lib/start_up.hpp"
#include "kernel/sched/clock.hpp"
#include "kernel/syscall/system_call.hpp"
#include "kernel/syscall/time_clocks.hpp"

namespace {

constexpr uint32_t kOffset = 1, kFrequency = 2, kMaxError = 4, kEstError = 8, kStatus = 16,
                   kConstant = 32, kTai = 0x80, kSetOffset = 0x100, kMicro = 0x1000, kNano = 0x2000,
                   kTick = 0x4000, kAdjustTime = 0x8000, kReadOnly = 0x2000;
constexpr int32_t kPll = 1, kInsert = 16, kDelete = 32, kUnsynchronised = 64, kHold = 128,
                  kClockError = 0x1000, kNanoseconds = 0x2000, kFixed = 0xff00;
enum class LeapState : int { none, insert, remove, during, done, error };

constexpr int64_t kSecond = kNanosecondsPerSecond, kPerMicrosecond = 1000, kDay = 86400;
constexpr int32_t kMostFrequency = 500 << 16, kMostError = 16'000'000, kErrorPerSecond = 500;
constexpr int64_t kMostOffset = 500'000'000, kMostAdjustment = 500;  // ns; us a second

struct Timex32 {
    uint32_t modes;
    int32_t offset, frequency, max_error, est_error, status, constant, precision, tolerance,
        seconds;
    int32_t fraction, tick, pps[8], tai, unused[11];
};
struct alignas(8) Timex64 {
    uint32_t modes, padding1;
    int64_t offset, frequency, max_error, est_error;
    int32_t status, padding2;
    int64_t constant, precision, tolerance, seconds, fraction, tick, pps[2];
    int32_t shift, padding3;
    int64_t pps_more[5];
    int32_t tai, unused[11];
};
static_assert(sizeof(Timex32) == 128 && sizeof(Timex64) == 208);

constinit IrqSpinLock lock{LockRank::timer_file};
struct Steering {
    int64_t offset = 0;      // ns that are still to be gained
    int64_t adjustment = 0;  // us, of adjtime(3)
    int32_t frequency = 0;   // 2^-16 ppm
    int32_t max_error = kMostError, est_error = kMostError, status = kUnsynchronised;
    int32_t constant = 2, tick = 10000, tai = 0;
    int64_t share = 0;        // ns of the two that the second under way gains
    int64_t last_update = 0;  // second
    LeapState leap = LeapState::none;
    bool runs = false;
    Timer timer;
};
constinit Steering steering GUARDED_BY(lock);

int64_t second_now(int64_t early = 0) {
    return (static_cast<int64_t>(realtime_now().raw()) + early) / kSecond;
}

// The rest of the day is a second longer or shorter. What the clock is set by at this second, in seconds.
int64_t pass_leap(Steering& s, int64_t second) {
    const bool midnight = second % kDay == 0, before = second % kDay == kDay - 1;
    switch (s.leap) {
        case LeapState::none:
            if (s.status & kInsert)
                s.leap = LeapState::insert;
            else if (s.status & kDelete)
                s.leap = LeapState::remove;
            return 0;
        case LeapState::insert:
            if (!(s.status & kInsert))
                s.leap = LeapState::none;
            else if (midnight)
                return s.leap = LeapState::during, ++s.tai, -1;
            return 0;
        case LeapState::remove:
            if (!(s.status & kDelete))
                s.leap = LeapState::none;
            else if (before)
                return s.leap = LeapState::done, --s.tai, 1;
            return 0;
        case LeapState::during: s.leap = LeapState::done; return 0;
        default:
            if (!(s.status & (kInsert | kDelete))) s.leap = LeapState::none;
            return 0;
    }
}

// What of offset and adjustment is gained in the second that begins, in nanoseconds.
int64_t share_of_second(Steering& s) {
    const int64_t part = s.offset / (4ll << s.constant);
    s.offset -= part;
    const int64_t adjust = std::clamp(s.adjustment, -kMostAdjustment, kMostAdjustment);
    s.adjustment -= adjust;
    return part + adjust * kPerMicrosecond;
}

// Nanoseconds a second.
int64_t rate_of(const Steering& s) {
    return int64_t{s.frequency} * kPerMicrosecond / 65536 +
           int64_t{s.tick - 10000} * kTicksPerSecond * kPerMicrosecond + s.share;
}
void set_rate(const Steering& s, int64_t step) {
    steer_realtime(static_cast<int32_t>((rate_of(s) << 32) / kSecond), step);
}

// The timer may come a moment before a whole second.
void begin_second(Steering& s, bool whole) {
    int64_t step = 0, second = second_now(whole ? kSecond / 2 : 0);
    if (whole) {
        step = pass_leap(s, second) * kSecond;
        second += step / kSecond;
        s.max_error = std::min(s.max_error + kErrorPerSecond, kMostError);
        if (s.max_error == kMostError) s.status |= kUnsynchronised;
    }
    s.share = whole ? share_of_second(s) : 0;  // not for the rest of one
    set_rate(s, step);
    s.runs = rate_of(s) || s.adjustment || s.offset / (4ll << s.constant) ||
             !(s.status & kUnsynchronised) || s.status & (kInsert | kDelete) ||
             s.leap != LeapState::none;
    const auto next = static_cast<uint64_t>((second + 1) * kSecond);
    if (s.runs) start_timer(s.timer, monotonic_at(Nanoseconds(next)));
}

void second_is_over(Timer&) {
    LockGuard guard(lock);
    begin_second(steering, true);
}

void update_offset(Steering& s, int64_t wanted) {
    if (!(s.status & kPll)) return;
    const int64_t unit = s.status & kNanoseconds ? 1 : kPerMicrosecond;
    s.offset = std::clamp(std::clamp(wanted, -kSecond, kSecond) * unit, -kMostOffset, kMostOffset);
    const int64_t now = second_now(), most = int64_t{8} << s.constant;
    const int64_t seconds =
        s.status & kHold ? 0 : std::clamp<int64_t>(now - s.last_update, 0, most);
    s.last_update = now;
    const int64_t more = s.offset * seconds / (256ll << 2 * s.constant) * 65536 / kPerMicrosecond;
    s.frequency = static_cast<int32_t>(
        std::clamp<int64_t>(s.frequency + more, -kMostFrequency, kMostFrequency));
}

template <typename T>
void obey(Steering& s, const T& from) {
    const uint32_t modes = from.modes;
    if (modes & kStatus) s.status = (s.status & kFixed) | (from.status & ~kFixed);
    if (modes & kNano) s.status |= kNanoseconds;
    if (modes & kMicro) s.status &= ~kNanoseconds;
    if (modes & kFrequency)
        s.frequency = static_cast<int32_t>(
            std::clamp<int64_t>(from.frequency, -kMostFrequency, kMostFrequency));
    if (modes & kMaxError)
        s.max_error = static_cast<int32_t>(std::clamp<int64_t>(from.max_error, 0, kMostError));
    if (modes & kEstError)
        s.est_error = static_cast<int32_t>(std::clamp<int64_t>(from.est_error, 0, kMostError));
    if (modes & kConstant) {
        const int64_t wanted = std::clamp<int64_t>(from.constant, 0, 10);
        s.constant =
            static_cast<int32_t>(std::min<int64_t>(wanted + (s.status & kNanoseconds ? 0 : 4), 10));
    }
    if (modes & kTai && from.constant >= 0 && from.constant <= 100'000)
        s.tai = static_cast<int32_t>(from.constant);
    if (modes & kOffset) update_offset(s, from.offset);
    if (modes & kTick) s.tick = static_cast<int32_t>(from.tick);
}

template <typename T>
Result<void> check(const T& from) {
    const bool may = context().credentials.may(Capability::sys_time);
    const uint32_t modes = from.modes;
    if (modes & kAdjustTime) {
        if (!(modes & kOffset)) return Errno::inval;
        if (!(modes & kReadOnly) && !may) return Errno::perm;
    } else {
        if (modes && !may) return Errno::perm;
        if (modes & kTick && (from.tick < 9000 || from.tick > 11000)) return Errno::inval;
    }
    if (!(modes & kSetOffset)) return {};
    const int64_t whole = modes & kNano ? kSecond : kSecond / kPerMicrosecond;
    return from.fraction < 0 || from.fraction >= whole ? Errno::inval : Result<void>();
}

// What is in force, and the state. `adjustment`: of adjtime(3) before, if that was asked.
template <typename T>
uint32_t fill(T& to, const Steering& s, int64_t adjustment) {
    const bool fine = s.status & kNanoseconds;
    to.offset = static_cast<decltype(to.offset)>(to.modes & kAdjustTime ? adjustment
                                                 : fine                 ? s.offset
                                                        : s.offset / kPerMicrosecond);
    to.frequency = s.frequency;
    to.max_error = s.max_error, to.est_error = s.est_error;
    to.status = s.status, to.constant = s.constant;
    to.precision = 1, to.tolerance = kMostFrequency;
    to.tick = s.tick, to.tai = s.tai;
    const auto now = static_cast<int64_t>(realtime_now().raw());
    to.seconds = static_cast<decltype(to.seconds)>(now / kSecond);
    to.fraction =
        static_cast<decltype(to.fraction)>(fine ? now % kSecond : now % kSecond / kPerMicrosecond);
    const bool wrong = s.status & (kUnsynchronised | kClockError);
    return static_cast<uint32_t>(wrong ? LeapState::error : s.leap);
}

// EINVAL: the wall clock would be behind the other one, or where what lasts for 30 years passes the end of all time.
Result<void> step_by(int64_t seconds, int64_t nanoseconds) {
    constexpr int64_t kLast = INT64_MAX / kSecond - 30 * 365 * kDay;
    if (seconds < -kLast || seconds > kLast) return Errno::inval;
    const int64_t by = seconds * kSecond + nanoseconds;
    const auto now = static_cast<int64_t>(realtime_now().raw());
    int64_t then;
    if (__builtin_add_overflow(now, by, &then) || then / kSecond >= kLast ||
        then < static_cast<int64_t>(monotonic_now().raw()))
        return Errno::inval;
    step_realtime(by);
    return {};
}

template <typename T>
Result<uint32_t> adjust(UserPtr<T> user) {
    const T from = TRY(read_user(user));
    TRY(check(from));
    if (from.modes & kSetOffset && !(from.modes & kAdjustTime)) {
        const int64_t unit = from.modes & kNano ? 1 : kPerMicrosecond;
        TRY(step_by(from.seconds, int64_t{from.fraction} * unit));
    }
    T to{};
    to.modes = from.modes;
    uint32_t state;
    {
        LockGuard guard(lock);
        const int64_t before = steering.adjustment;
        const bool sets = from.modes && !(from.modes & kAdjustTime && from.modes & kReadOnly);
        if (from.modes & kAdjustTime) {
            if (sets) steering.adjustment = from.offset;
        } else {
            obey(steering, from);
        }
        state = fill(to, steering, before);
        steering.timer.fire = second_is_over;
        if (sets && steering.runs) set_rate(steering, 0);
        if (sets && !steering.runs) begin_second(steering, false);
    }
    TRY(write_user(user, to));
    return state;
}

template <typename T>
Result<uint32_t> adjust_clock(int clock, UserPtr<T> user) {
    constexpr int kRealTime = 0, kHighest = 11;
    if (clock == kRealTime) return adjust(user);
    if (clock > kHighest || clock == 10) return Errno::inval;
    if (clock < 0) TRY(other_clock(clock));
    return Errno::opnotsupp;
}

}  // namespace

Result<uint32_t> sys_adjtimex(UserPtr<Timex32> user) { return adjust(user); }
Result<uint32_t> sys_clock_adjtime(int clock, UserPtr<Timex32> user) {
    return adjust_clock(clock, user);
}
Result<uint32_t> sys_clock_adjtime64(int clock, UserPtr<Timex64> user) {
    return adjust_clock(clock, user);
}

constexpr SystemCall kAdjustCalls[] = {
    CALL(124, adjtimex, sys_adjtimex),
    CALL(343, clock_adjtime, sys_clock_adjtime),
    CALL(405, clock_adjtime64, sys_clock_adjtime64),
};
SYSTEM_CALLS(kAdjustCalls);
