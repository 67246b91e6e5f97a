// Breakpoints on events, decided here and not by the debugger, which would take 3 ms for each event: a debugger
// writes conditions into `trace_watches` and takes the CPUs' rings aside, and each event then comes by
// trace_watched(), which records it as usual and calls trace_watch_hit() if one matches. While no debugger has
// done that, nothing costs more: a trace point looks whether its CPU has rings anyway. Who writes: break-event in
// scripts/gdb/event_commands.py.
// Locks: none; written while the machine is stopped.
#pragma once

#include "kernel/trace/trace.hpp"

struct TraceWatch {
    struct Condition {
        uint8_t field;  // 0 to 3: an argument; 4: the thread
        uint8_t relation;
        uint32_t flip;  // XORed to both sides first: 2^31 compares numbers with a sign
        uint32_t value;
    };
    static constexpr uint32_t kConditions = 4;
    bool active;
    uint8_t type, conditions;  // a TraceType; how many are used
    Condition condition[kConditions];
};
enum class TraceRelation : uint8_t { equal, unequal, less, not_more, more, not_less, any_bit };

constexpr uint32_t kTraceWatches = 8;
struct TraceWatches {
    TraceWatch watch[kTraceWatches];
    TraceRings* rings[kMaxCpus];  // of each CPU, while they are not in its `trace`
    uint32_t categories;          // of the events watched: recorded whatever else is chosen
    bool active;
};
extern TraceWatches trace_watches;

inline bool relation_holds(TraceRelation relation, uint32_t left, uint32_t right) {
    switch (relation) {
        case TraceRelation::equal: return left == right;
        case TraceRelation::unequal: return left != right;
        case TraceRelation::less: return left < right;
        case TraceRelation::not_more: return left <= right;
        case TraceRelation::more: return left > right;
        case TraceRelation::not_less: return left >= right;
        case TraceRelation::any_bit: return left & right;
    }
    return false;
}

// Does an event with these arguments match? Pure, for tests.
inline bool trace_matches(const TraceWatch& watch, uint32_t type, const uint32_t (&words)[5]) {
    if (!watch.active || watch.type != type || watch.conditions > TraceWatch::kConditions)
        return false;
    for (uint32_t i = 0; i < watch.conditions; ++i) {
        const TraceWatch::Condition& c = watch.condition[i];
        if (c.field >= 5 || !relation_holds(static_cast<TraceRelation>(c.relation),
                                            words[c.field] ^ c.flip, c.value ^ c.flip))
            return false;
    }
    return true;
}
