// See tracing.hpp. Locks: none; used at start-up, and when all is over.
#include "kernel/tracing.hpp"

#include <algorithm>

#include "boot/options.hpp"
#include "drivers/host_link.hpp"
#include "drivers/power.hpp"
#include "kernel/arch/interrupts.hpp"
#include "kernel/arch/traps.hpp"
#include "kernel/lib/log.hpp"
#include "kernel/sched/clock.hpp"
#include "kernel/trace/reader.hpp"
#include "kernel/trace/trace.hpp"
#include "mm/frames.hpp"
#include "mm/virtual_area.hpp"

namespace {

constinit uint32_t ring_bytes = 0;

void send_trace() {
    trace_detach_all();
    static constinit uint8_t piece[16 * 1024] = {};
    TraceStream stream(trace_rings(), TraceStream::Form::binary, trace_text_at);
    while (uint32_t bytes = stream.read(piece)) host_link_trace({piece, bytes});
}

void attach(Cpu& cpu) {
    Result<void*> memory = allocate_wide(ring_bytes);
    if (memory.is_error()) return log_warning("trace: no memory for the ring of CPU {}", cpu.id);
    trace_attach(cpu, {static_cast<TraceEvent*>(memory.value()), ring_bytes / sizeof(TraceEvent)});
}

}  // namespace

void tracing_init(const BootOptions& options) {
    // A part of the memory; more where the whole run is wanted.
    ring_bytes = memory_totals().total / (options.trace.empty() ? 128 : 16) * kPageSize;
    static constinit TraceNames line_names{"irq", interrupt_name, 19};
    static constinit TraceNames exceptions{"exception", exception_name, 32};
    add_trace_names(line_names);
    add_trace_names(exceptions);
    trace_clock.tsc_kilohertz = tsc_kilohertz();
    trace_clock.origin = read_tsc() - monotonic_now().raw() * tsc_kilohertz() / 1'000'000;
    attach(this_cpu());
    if (options.trace.empty()) return;
    before_power_off = send_trace;
    if (choose_trace_categories(options.trace).is_error())
        log_warning("trace: '{}' is no list of its categories", options.trace);
}

void tracing_of_other_cpus() {
    // Together they get as much as the first one has alone.
    ring_bytes = align_up(ring_bytes / std::max(1u, cpu_count - 1), uint32_t{kPageSize});
    for (uint32_t i = 1; i < cpu_count; ++i) attach(*cpus[i]);
}
