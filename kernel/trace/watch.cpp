// See watch.hpp.
#include "kernel/trace/watch.hpp"

constinit TraceWatches trace_watches{};

// Where the debugger stops: nothing happens here.
extern "C" [[gnu::noinline]] void trace_watch_hit(uint32_t which, const uint32_t* words) {
    asm volatile("" ::"r"(which), "r"(words) : "memory");
}

extern "C" void trace_watched(TraceType type, uint32_t a, uint32_t b, uint32_t c, uint32_t d) {
    Cpu& cpu = this_cpu();
    TraceRings* const rings = trace_watches.rings[cpu.id];
    if (!trace_watches.active || !rings) return;
    TraceRing& ring = is_rare(type) ? rings->rare : rings->busy;
    ring.write(read_tsc(), cpu.id, type, cpu.current_tid, a, b, c, d);
    const uint32_t words[5] = {a, b, c, d, static_cast<uint32_t>(cpu.current_tid)};
    for (uint32_t i = 0; i < kTraceWatches; ++i)
        if (trace_matches(trace_watches.watch[i], static_cast<uint32_t>(type), words))
            trace_watch_hit(i, words);
}
