// Time: nanoseconds since boot from the TSC (calibrated against the PIT), wall-clock time from the
// CMOS clock at boot, ticks at 100 Hz; and one-shot timers, exact to a few microseconds.
// Locks: timers have their own IrqSpinLock (rank timers).
#pragma once

#include "kernel/lib/hooks.hpp"
#include "kernel/lib/ordered_tree.hpp"
#include "kernel/lib/types.hpp"

constexpr uint32_t kTicksPerSecond = 100;
constexpr uint32_t kNanosecondsPerTick = 1'000'000'000 / kTicksPerSecond;

Nanoseconds monotonic_now();
Nanoseconds realtime_now();  // since 1970-01-01 UTC
void set_realtime(Nanoseconds now);
void step_realtime(int64_t by);  // exact, however late the caller runs
// Told by how many nanoseconds, from these two, which may sleep then.
inline constinit HookList<int64_t /*by*/> realtime_was_set;
// The wall clock runs so much faster from now on, in 2^-32, and is set forward by `step` nanoseconds (a leap
// second); nobody is told. At most 8 s count until the next call.
void steer_realtime(int32_t faster, int64_t step);
// When that is on the monotonic clock, as long as nobody sets the other one; at least 1.
Nanoseconds monotonic_at(Nanoseconds realtime);
Ticks ticks_now();
uint32_t tsc_kilohertz();

// A one-shot timer. `fire` runs in the timer interrupt: interrupts off, IrqSpinLocks only. It may
// start the timer again.
struct Timer {
    struct Place {  // of equal deadlines, the one that was started first
        Nanoseconds deadline{0};
        uint32_t started = 0;
        auto operator<=>(const Place&) const = default;
    };
    void (*fire)(Timer& self) = nullptr;
    Nanoseconds deadline{0};
    TreeNode node;
    uint32_t started = 0;  // a number that grows
    uint8_t cpu = 0;       // whose timer it is, while it is pending
    Atomic<bool> firing = false;
    Place place() const { return {deadline, started}; }
};
void start_timer(Timer& timer, Nanoseconds deadline);  // restarts it if it is running
bool cancel_timer(Timer& timer);                       // true if it was still pending

// Called at each tick of the boot CPU, in the timer interrupt: for what is asked for where no lock
// may be taken. Set once, at boot.
extern void (*tick_hook)();
// Called for so many ticks of each CPU that its running thread got, in the timer interrupt.
extern void (*cpu_tick_hook)(uint32_t ticks, bool from_user);

// The dispatcher's own timer, one a CPU, so cheap that every switch may set it: scheduler_clock() is
// called at that time or soon after. kNever: not needed. Interrupts off; no lock.
void set_dispatch_deadline(Nanoseconds deadline);
void count_to_dispatch_deadline();  // sets the chip; best without locks (see start_timer)
