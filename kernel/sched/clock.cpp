// See clock.hpp. The TSC, measured against the PIT at boot, gives nanoseconds; ticks are every 10 ms
// of it. The PIT counts down once to whatever comes first: the next tick, the first timer, or the
// dispatcher's deadline. It is set again only for something earlier than what it counts to, so that
// timers and turns that end after the next tick cost no port access.
// Spec: Intel 8254 data sheet (control word, mode 0); SDM vol. 3B, 17.17 (TSC).
// Locks: timers (the list of pending ones, sorted by deadline). The PIT is this CPU's alone, and
// used with interrupts off.
#include "kernel/sched/clock.hpp"

#include <algorithm>

#include "kernel/arch/interrupts.hpp"
#include "kernel/arch/io.hpp"
#include "kernel/lib/log.hpp"
#include "kernel/sched/clock_init.hpp"
#include "kernel/sched/scheduler.hpp"
#include "kernel/sched/sched_entity.hpp"
#include "kernel/sync/spin_lock.hpp"

namespace {

constexpr uint32_t kPitHertz = 1193182;
constexpr uint16_t kPitChannel0 = 0x40, kPitChannel2 = 0x42, kPitCommand = 0x43, kSpeakerPort = 0x61;
constexpr uint8_t kOneShot = 0x30;  // channel 0, both bytes, mode 0

constinit uint64_t boot_tsc = 0;
constinit uint32_t kilohertz = 1'000'000;
constinit uint32_t nanoseconds_per_cycle_shifted = 0;  // << kShift
constexpr uint32_t kShift = 22;
constinit uint64_t tick_count = 0;
constinit Nanoseconds next_tick{0};
constinit Nanoseconds dispatch_deadline = kNever;
constinit Nanoseconds programmed{0};  // when the PIT interrupts
constinit uint64_t realtime_offset = 0;  // nanoseconds since 1970 at boot

constinit IrqSpinLock lock{LockRank::timers};
using TimerList = List<Timer, &Timer::node>;
constinit TimerList timers;

constexpr uint32_t kCount = kPitHertz / 100;  // nearly 10 ms

// How many TSC cycles kCount of PIT channel 2 take.
uint32_t measure_tsc() {
    out8(kSpeakerPort, (in8(kSpeakerPort) & ~2u) | 1);  // gate on, speaker off
    out8(kPitCommand, 0xb0);                            // channel 2, both bytes, mode 0
    out8(kPitChannel2, kCount & 0xff);
    out8(kPitChannel2, kCount >> 8);
    uint64_t start = read_tsc();
    // A machine without the PIT's output pin must not hang here.
    for (uint32_t spins = 0; !(in8(kSpeakerPort) & 0x20) && spins < 100'000'000; ++spins) {
    }
    return static_cast<uint32_t>(read_tsc() - start);
}

void fire_due_timers() {
    for (;;) {
        Timer* due = nullptr;
        {
            LockGuard guard(lock);
            Timer* first = timers.front();
            if (!first || first->deadline > monotonic_now()) return;
            due = first;
            timers.remove(*first);
            due->firing = true;
        }
        due->fire(*due);
        __atomic_store_n(&due->firing, false, __ATOMIC_RELEASE);
    }
}

// Interrupts off. A new count starts the one-shot again; no control word is needed for that.
void program_pit(Nanoseconds deadline, Nanoseconds now) {
    constexpr uint64_t kCountsPerNanosecond = (uint64_t{kPitHertz} << 32) / 1'000'000'000;  // << 32
    programmed = deadline;
    uint32_t wait = deadline > now ? static_cast<uint32_t>(deadline - now) : 0;
    if (wait > kNanosecondsPerTick) wait = kNanosecondsPerTick;
    uint32_t count = static_cast<uint32_t>((wait * kCountsPerNanosecond) >> 32) + 1;
    out8(kPitChannel0, count & 0xff);
    out8(kPitChannel0, count >> 8);
}

void program_if_sooner(Nanoseconds deadline) {
    if (deadline < programmed) program_pit(deadline, monotonic_now());
}

// Wake-ups before the ends of turns: who wakes at that instant queues ahead of who gives way.
void on_interrupt(void*) {
    Nanoseconds now = monotonic_now();
    uint32_t ticks = 0;
    for (; next_tick <= now; next_tick = next_tick + kNanosecondsPerTick) ++ticks;
    tick_count += ticks;
    if (!timers.empty()) fire_due_timers();
    bool turn_over = dispatch_deadline <= now;
    if (turn_over) dispatch_deadline = kNever;
    if (ticks || turn_over) scheduler_clock(ticks, turn_over, interrupted_user_mode());

    Nanoseconds first = std::min(next_tick, dispatch_deadline);
    {
        LockGuard guard(lock);
        if (const Timer* timer = timers.front()) first = std::min(first, timer->deadline);
    }
    program_pit(first, monotonic_now());
}

constinit InterruptHandler handler{"timer", on_interrupt};

}  // namespace

void clock_init(Nanoseconds wall_clock) {
    uint32_t cycles = measure_tsc();
    if (cycles < 10'000) {
        log_warning("clock: the TSC could not be calibrated; assuming 1 GHz");
        cycles = 10'000'000;
    }
    kilohertz = static_cast<uint32_t>(uint64_t{cycles} * kPitHertz / (uint64_t{kCount} * 1000));
    nanoseconds_per_cycle_shifted =
        static_cast<uint32_t>((static_cast<uint64_t>(1'000'000) << kShift) / kilohertz);
    boot_tsc = read_tsc();
    realtime_offset = wall_clock.raw();
    out8(kPitCommand, kOneShot);
    next_tick = monotonic_now() + kNanosecondsPerTick;
    program_pit(next_tick, monotonic_now());
    VERIFY(attach_interrupt(0, handler).is_ok());
    log_info("clock: TSC at {} kHz, {} ticks a second", kilohertz, kTicksPerSecond);
}

Nanoseconds monotonic_now() {
    uint64_t cycles = read_tsc() - boot_tsc;
    uint64_t low = (cycles & 0xffffffff) * nanoseconds_per_cycle_shifted;
    uint64_t high = (cycles >> 32) * nanoseconds_per_cycle_shifted;
    return Nanoseconds((low >> kShift) + (high << (32 - kShift)));
}
Nanoseconds realtime_now() { return monotonic_now() + realtime_offset; }
void set_realtime(Nanoseconds now) { realtime_offset = now.raw() - monotonic_now().raw(); }
Ticks ticks_now() { return Ticks(tick_count); }
uint32_t tsc_kilohertz() { return kilohertz; }

void start_timer(Timer& timer, Nanoseconds deadline) {
    LockGuard guard(lock);
    if (timer.node.linked()) timers.remove(timer);
    timer.deadline = deadline;
    // From the back: most timers are set for later than those that wait already.
    Timer* before = timers.back();
    while (before && before->deadline > deadline) before = timers.previous(*before);
    if (before)
        timers.insert_after(*before, timer);
    else
        timers.push_front(timer);
    if (!before) program_if_sooner(deadline);
}

void set_dispatch_deadline(Nanoseconds deadline) {
    dispatch_deadline = deadline;
    program_if_sooner(deadline);
}

bool cancel_timer(Timer& timer) {
    {
        LockGuard guard(lock);
        if (timer.node.linked()) {
            timers.remove(timer);
            return true;
        }
    }
    // Another CPU may be in `fire` just now; the timer's memory is needed until it is done.
    while (__atomic_load_n(&timer.firing, __ATOMIC_ACQUIRE)) asm volatile("pause");
    return false;
}
