// What can be set about the policies, once for all run queues. The table at the end is what
// /proc/sys/kernel/sched/* and the boot options are made from: a name there is a name here.
// After a change the dispatcher calls RealTimeClass::requeue(), so that queues follow it.
// Locks: all run queues' locks to write, any to read.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

struct SchedTunables {
    static constexpr uint32_t kMaxValues = 8;
    struct Figures {
        uint32_t count = 1;
        uint32_t value[kMaxValues] = {};

        constexpr uint32_t raw() const { return value[0]; }
        constexpr uint64_t ns(uint32_t index = 0) const { return value[index] * 1000ull; }
    };

    Figures rr_quantum{1, {20'000}};
    Figures priority_preemptive{1, {0}};
    Figures priority_aging{1, {0}};
    Figures priority_quantum{1, {20'000}};
    Figures mlfq_quanta{3, {10'000, 20'000, 40'000}};
    Figures mlfq_boost{1, {1'000'000}};
    Figures stride_quantum{1, {10'000}};
    Figures realtime_quantum{1, {100'000}};
    Figures realtime_limit{1, {950'000}};
    Figures service_guess{1, {10'000}};
    Figures service_grain{1, {1'000}};
};

struct Tunable {
    std::string_view name;
    SchedTunables::Figures SchedTunables::*figures;
    uint32_t least, most;  // of each value; the default is SchedTunables{}.*figures
    uint32_t max_count;
    std::string_view unit, meaning;
};

constexpr uint32_t kMaxMicroseconds = 1'000'000'000;

inline constexpr Tunable kSchedTunables[] = {
    {"rr_quantum_us", &SchedTunables::rr_quantum, 100, kMaxMicroseconds, 1, "us",
     "rr: length of a turn"},
    {"priority_preemptive", &SchedTunables::priority_preemptive, 0, 1, 1, "",
     "priority: 1 if a higher one takes the CPU at once"},
    {"priority_aging_us", &SchedTunables::priority_aging, 0, kMaxMicroseconds, 1, "us",
     "priority: waiting that counts as one level; 0 for none"},
    {"priority_quantum_us", &SchedTunables::priority_quantum, 100, kMaxMicroseconds, 1, "us",
     "priority: how long an aged level lasts, if preemptive"},
    {"mlfq_quanta_us", &SchedTunables::mlfq_quanta, 100, kMaxMicroseconds,
     SchedTunables::kMaxValues, "us", "mlfq: one quantum a level, highest first"},
    {"mlfq_boost_us", &SchedTunables::mlfq_boost, 0, kMaxMicroseconds, 1, "us",
     "mlfq: how often all return to the highest level; 0 for never"},
    {"stride_quantum_us", &SchedTunables::stride_quantum, 100, kMaxMicroseconds, 1, "us",
     "stride: length of a turn"},
    {"realtime_quantum_us", &SchedTunables::realtime_quantum, 100, kMaxMicroseconds, 1, "us",
     "SCHED_RR: length of a turn"},
    {"realtime_limit_us", &SchedTunables::realtime_limit, 0, kMaxMicroseconds, 1, "us",
     "SCHED_FIFO, SCHED_RR: how long ordinary threads may be kept from the CPU; 0 for ever"},
    {"service_guess_us", &SchedTunables::service_guess, 1, kMaxMicroseconds, 1, "us",
     "sjf, srtn, hrrn: a new thread's expected burst, if it declares none"},
    {"service_grain_us", &SchedTunables::service_grain, 1, kMaxMicroseconds, 1, "us",
     "sjf, srtn, hrrn: times are compared in whole multiples of this"},
};

constexpr const Tunable* find_tunable(std::string_view name) {
    for (const Tunable& tunable : kSchedTunables)
        if (tunable.name == name) return &tunable;
    return nullptr;
}

// False, and nothing changed, if there are too few or too many values or one is out of range.
constexpr bool set_tunable(SchedTunables& tunables, const Tunable& which,
                           std::span<const uint32_t> values) {
    if (values.empty() || values.size() > which.max_count) return false;
    for (uint32_t value : values)
        if (value < which.least || value > which.most) return false;
    SchedTunables::Figures fresh{static_cast<uint32_t>(values.size()), {}};
    for (uint32_t i = 0; i < values.size(); ++i) fresh.value[i] = values[i];
    tunables.*which.figures = fresh;
    return true;
}
