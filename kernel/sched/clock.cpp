// See clock.hpp. The TSC, measured against the PIT at boot, gives nanoseconds; ticks are every 10 ms
// of it. Each CPU's timer (timer_chip.hpp) counts down once to whatever comes first there: the next
// tick, the first of its timers, or its dispatcher's deadline. It is set again only for something
// earlier than what it counts to, so that timers and turns that end after the next tick cost nothing.
// A timer fires on the CPU that started it.
// Locks: timers (each CPU's tree of pending ones, by deadline). The rest of a CpuClock is its
// CPU's alone, and used with interrupts off.
#include "kernel/sched/clock.hpp"

#include <algorithm>

#include "kernel/arch/cpu.hpp"
#include "kernel/arch/interrupts.hpp"
#include "kernel/arch/io.hpp"
#include "kernel/arch/timer_chip.hpp"
#include "kernel/lib/log.hpp"
#include "kernel/sched/clock_init.hpp"
#include "kernel/sched/scheduler.hpp"
#include "kernel/sched/sched_entity.hpp"
#include "kernel/sync/spin_lock.hpp"

void (*tick_hook)() = nullptr;
void (*cpu_tick_hook)(uint32_t ticks, bool from_user) = nullptr;

namespace {

constinit uint64_t boot_tsc = 0;
constinit uint32_t kilohertz = 1'000'000;
constinit uint32_t nanoseconds_per_cycle_shifted = 0;  // << kShift
constexpr uint32_t kShift = 22;
constinit uint64_t tick_count = 0;  // by the boot processor

constinit IrqSpinLock lock{LockRank::timers};
using TimerTree = OrderedTree<Timer, &Timer::node, &Timer::place>;

struct CpuClock {
    Nanoseconds next_tick{0};
    Nanoseconds dispatch_deadline = kNever;
    Nanoseconds programmed{0};  // when the timer interrupts
    TimerTree timers GUARDED_BY(lock);

    // A look without the lock, as at each tick: the next one sees what came meanwhile.
    bool has_timers() const NO_LOCK_ANALYSIS { return !timers.empty(); }
};
constinit CpuClock clocks[kMaxCpus] = {};
constinit uint32_t last_started GUARDED_BY(lock) = 0;

CpuClock& this_clock() { return clocks[this_cpu().id]; }

void fire_due_timers(CpuClock& clock) {
    for (;;) {
        Timer* due = nullptr;
        {
            LockGuard guard(lock);
            Timer* first = clock.timers.first();
            if (!first || first->deadline > monotonic_now()) return;
            due = first;
            clock.timers.remove(*first);
            due->firing = true;
        }
        due->fire(*due);
        due->firing.store(false);
    }
}

// Interrupts off, on the clock's own CPU.
void program(CpuClock& clock, Nanoseconds deadline, Nanoseconds now) {
    clock.programmed = deadline;
    const uint64_t wait = deadline > now ? deadline - now : 0;
    timer_program(static_cast<uint32_t>(std::min<uint64_t>(wait, kNanosecondsPerTick)));
}

void program_if_sooner(CpuClock& clock, Nanoseconds deadline) {
    if (deadline < clock.programmed) program(clock, deadline, monotonic_now());
}

// Wake-ups before the ends of turns: a thread that wakes at that instant queues ahead of one that gives way.
void on_interrupt() {
    CpuClock& clock = this_clock();
    Nanoseconds now = monotonic_now();
    // Not one by one: a machine that was paused or restored may be years late.
    uint64_t ticks = 0;
    if (clock.next_tick <= now) {
        ticks = (now - clock.next_tick) / kNanosecondsPerTick + 1;
        clock.next_tick = clock.next_tick + ticks * kNanosecondsPerTick;
    }
    if (&clock == &clocks[0] && ticks) {
        tick_count += ticks;
        if (tick_hook) tick_hook();
    }
    if (clock.has_timers()) fire_due_timers(clock);
    if (ticks && cpu_tick_hook)
        cpu_tick_hook(static_cast<uint32_t>(std::min<uint64_t>(ticks, kTicksPerSecond)),
                      interrupted_user_mode());
    bool turn_over = clock.dispatch_deadline <= now;
    if (turn_over) clock.dispatch_deadline = kNever;
    if (ticks || turn_over)
        scheduler_clock(static_cast<uint32_t>(std::min<uint64_t>(ticks, UINT32_MAX)), turn_over,
                        interrupted_user_mode());

    Nanoseconds first = std::min(clock.next_tick, clock.dispatch_deadline);
    {
        LockGuard guard(lock);
        if (const Timer* timer = clock.timers.first()) first = std::min(first, timer->deadline);
    }
    program(clock, first, monotonic_now());
}

}  // namespace

void clock_init(Nanoseconds wall_clock, uint16_t second_clock) {
    kilohertz = timer_calibrate(second_clock);
    if (kilohertz == 0) {
        log_warning("clock: the TSC could not be calibrated; assuming 1 GHz");
        kilohertz = 1'000'000;
    }
    nanoseconds_per_cycle_shifted =
        static_cast<uint32_t>((static_cast<uint64_t>(1'000'000) << kShift) / kilohertz);
    boot_tsc = read_tsc();
    set_realtime(wall_clock);
    timer_install(on_interrupt);
    clock_join();
    log_info("clock: TSC at {} kHz, {} ticks a second", kilohertz, kTicksPerSecond);
}

void clock_join() {
    InterruptsOff off;
    CpuClock& clock = this_clock();
    const Nanoseconds now = monotonic_now();
    clock.next_tick = now + kNanosecondsPerTick;
    program(clock, clock.next_tick, now);
}

Nanoseconds monotonic_now() {
    uint64_t cycles = read_tsc() - boot_tsc;
    uint64_t low = (cycles & 0xffffffff) * nanoseconds_per_cycle_shifted;
    uint64_t high = (cycles >> 32) * nanoseconds_per_cycle_shifted;
    return Nanoseconds((low >> kShift) + (high << (32 - kShift)));
}
// --- the wall clock: the monotonic one, an offset, and a rate, by which a room above steers it
// Locks: timers, to change it. Readers take none: one on another CPU may see half a change, where the upper half of
// the offset changes.

namespace {

constinit uint64_t realtime_offset = 0;  // nanoseconds since 1970 when the machine was switched on
constinit int32_t realtime_rate = 0;     // how much faster it runs, in 2^-32
constinit Nanoseconds rate_since{0};

// By the rate, since that was set: who steers sets it each second.
[[gnu::noinline]] uint64_t gained_by_rate(Nanoseconds now) {
    constexpr uint64_t kMost = 8'000'000'000;
    const auto since = static_cast<int64_t>(std::min<uint64_t>(now - rate_since, kMost));
    return static_cast<uint64_t>(since * realtime_rate >> 32);
}
uint64_t ahead(Nanoseconds now) {
    return realtime_rate ? realtime_offset + gained_by_rate(now) : realtime_offset;
}

}  // namespace

Nanoseconds realtime_now() {
    const Nanoseconds now = monotonic_now();
    return now + ahead(now);
}

void set_realtime(Nanoseconds time) {
    int64_t by;
    {
        LockGuard guard(lock);
        by = static_cast<int64_t>(time.raw() - realtime_now().raw());
        realtime_offset += static_cast<uint64_t>(by);
    }
    realtime_was_set(by);
}

void step_realtime(int64_t by) {
    {
        LockGuard guard(lock);
        realtime_offset += static_cast<uint64_t>(by);
    }
    realtime_was_set(by);
}

void steer_realtime(int32_t faster, int64_t step) {
    LockGuard guard(lock);
    const Nanoseconds now = monotonic_now();
    realtime_offset = ahead(now) + static_cast<uint64_t>(step);
    rate_since = now;
    realtime_rate = faster;
}

Nanoseconds monotonic_at(Nanoseconds realtime) {
    const uint64_t before = ahead(monotonic_now());
    return Nanoseconds(realtime.raw() > before ? realtime.raw() - before : 1);
}

Ticks ticks_now() { return Ticks(tick_count); }
uint32_t tsc_kilohertz() { return kilohertz; }

// The timer chip is set without the lock: an emulator whose CPUs take turns ends a turn there, and
// the others would wait for the lock all of theirs.
void start_timer(Timer& timer, Nanoseconds deadline) {
    InterruptsOff off;
    CpuClock& clock = this_clock();
    {
        LockGuard guard(lock);
        if (timer.node.linked()) clocks[timer.cpu].timers.remove(timer);
        timer.deadline = deadline;
        timer.started = ++last_started;
        timer.cpu = static_cast<uint8_t>(this_cpu().id);
        clock.timers.insert(timer);
    }
    program_if_sooner(clock, deadline);
}

void set_dispatch_deadline(Nanoseconds deadline) { this_clock().dispatch_deadline = deadline; }
void count_to_dispatch_deadline() {
    program_if_sooner(this_clock(), this_clock().dispatch_deadline);
}

bool cancel_timer(Timer& timer) {
    for (;;) {
        {
            LockGuard guard(lock);
            if (timer.node.linked()) {
                clocks[timer.cpu].timers.remove(timer);
                return true;
            }
            if (!timer.firing.load()) return false;
        }
        // Another CPU is in `fire`: the timer's memory is needed until that is done, and it may
        // start the timer again.
        while (timer.firing.load()) serve_shoot_down();
    }
}
