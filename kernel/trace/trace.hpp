// Trace points: trace<TraceType::switch_event>(next, state) costs about two dozen instructions, so
// most categories are always on. Each CPU has two rings: `rare` for births, names and deaths, which
// readers need to make sense of the rest, and `busy` for everything else; both keep the latest.
// Locks: none; callable from everywhere, interrupt handlers and the dispatcher too.
#pragma once

#include <span>
#include <string_view>

#include "kernel/arch/cpu.hpp"
#include "kernel/arch/io.hpp"
#include "kernel/lib/format.hpp"
#include "kernel/lib/result.hpp"
#include "kernel/trace/ring.hpp"

struct TraceRings {
    TraceRing busy, rare;
};

extern Atomic<uint32_t> trace_mask;  // categories that are recorded; bit: TraceCategory

template <TraceType type>
inline bool trace_wanted() {
    return trace_mask & trace_bit(type);
}

constexpr bool is_rare(TraceType type) {
    return trace_info(type).category == TraceCategory::process;
}
// An event of a CPU whose rings are not in `trace`: it has none yet, or a debugger looks (watch.hpp). It keeps all
// registers, and its call below is of no size to the compiler, so that it is as if it were not there. (Its operands may be in
// memory: the kernel keeps frame pointers, so none is found through the stack pointer that the pushes move.)
extern "C" [[gnu::cold, gnu::noinline, gnu::no_caller_saved_registers]] void trace_watched(
    TraceType type, uint32_t a, uint32_t b, uint32_t c, uint32_t d);

template <TraceType type>
[[gnu::always_inline]] inline void trace(uint32_t a = 0, uint32_t b = 0, uint32_t c = 0,
                                         uint32_t d = 0) {
    if (!trace_wanted<type>()) return;
    Cpu& cpu = this_cpu();
    if (!cpu.trace) [[unlikely]] {
        asm inline volatile(
            "pushl %4; pushl %3; pushl %2; pushl %1; pushl %0; call trace_watched; addl $20, %%esp"
            :
            : "i"(type), "g"(a), "g"(b), "g"(c), "g"(d)
            : "memory", "cc");
        return;
    }
    TraceRing& ring = is_rare(type) ? cpu.trace->rare : cpu.trace->busy;
    ring.write(read_tsc(), cpu.id, type, cpu.current_tid, a, b, c, d);
}
// The address of a string that lives for ever, as an argument.
inline uint32_t trace_text(const char* text) {
    return static_cast<uint32_t>(reinterpret_cast<uintptr_t>(text));
}
void trace_name(int tid, std::string_view name);  // of a thread, new or changed
void trace_mark(std::string_view text);           // as many events as it takes

// Gives a CPU its rings, in `memory` that stays. The first call starts the trace.
void trace_attach(Cpu& cpu, std::span<TraceEvent> memory);
void trace_detach_all();  // nothing is recorded from now on: for the export at the end

// Names that belong to other rooms: of the values of a field kind.
struct TraceNames {
    const char* kind;
    const char* (*name)(uint32_t value);  // null: has none
    uint32_t count;
    TraceNames* next = nullptr;
};
void add_trace_names(TraceNames& names);
const TraceNames* trace_names();  // the list's head

// What turns the time stamp counter into time.
struct TraceClock {
    uint32_t tsc_kilohertz = 1'000'000;
    uint64_t origin = 0;  // the counter when the system's time was 0
};
extern TraceClock trace_clock;

// "process [sched] ...": enabled ones in brackets; and the reverse: names, separated by blanks or
// commas, that replace the choice, or change it with + or - before them; all, none. EINVAL.
void show_trace_categories(TextSink& to);
Result<void> choose_trace_categories(std::string_view list);

constexpr uint32_t kMaxTraceRings = 2 * kMaxCpus;
std::span<TraceRing* const> trace_rings();  // of all CPUs
uint32_t trace_lost();
void trace_clear();
