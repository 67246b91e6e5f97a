// See memory_trace.hpp.
#include "mm/memory_trace.hpp"

#include "kernel/sched/clock.hpp"
#include "kernel/sched/thread.hpp"
#include "kernel/trace/trace.hpp"
#include "mm/frames.hpp"
#include "mm/heap.hpp"
#include "mm/locked_space.hpp"

namespace {

enum class MappingKind : uint8_t { anonymous, text, file, shared, heap, stack, guard };
constexpr const char* kMappingNames[] = {"anonymous", "text",  "file", "shared",
                                         "heap",      "stack", "guard"};

// Of FaultResult, and of what a fault event has as its cause.
constexpr const char* kResultNames[] = {"resolved", "unmapped", "protection", "bus-error",
                                        "out-of-memory"};
constexpr const char* kCauseNames[] = {"kernel-read-absent",    "kernel-write-absent",
                                       "user-read-absent",      "user-write-absent",
                                       "kernel-read-protected", "kernel-write-protected",
                                       "user-read-protected",   "user-write-protected"};

constinit TraceNames result_names{"fault", [](uint32_t result) { return kResultNames[result]; },
                                  std::size(kResultNames)};
constinit TraceNames cause_names{"cause", [](uint32_t cause) { return kCauseNames[cause]; },
                                 std::size(kCauseNames)};
constinit TraceNames mapping_names{"mapping", [](uint32_t kind) { return kMappingNames[kind]; },
                                   std::size(kMappingNames)};
constinit TraceNames source_names{"source",
                                  [](uint32_t source) { return kFaultSourceNames[source].data(); },
                                  std::size(kFaultSourceNames)};

MappingKind kind_of(const RegionAttributes& a) {
    if (!a.protection) return MappingKind::guard;
    if (a.label == RegionLabel::heap) return MappingKind::heap;
    if (a.grows_down) return MappingKind::stack;
    if (a.shared) return MappingKind::shared;
    if (!a.pager) return MappingKind::anonymous;
    return a.protection & kProtExecute ? MappingKind::text : MappingKind::file;
}

}  // namespace

void memory_trace_init() {
    add_trace_names(result_names);
    add_trace_names(cause_names);
    add_trace_names(mapping_names);
    add_trace_names(source_names);
}

// What exec builds isn't the program's yet: trace_regions() tells it once it is.
void trace_mapped(const LockedSpace& space, VirtAddr start, VirtAddr end,
                  const RegionAttributes& attributes) {
    if (Thread::current().space == &space.space())
        trace<TraceType::map_event>(start.raw(), (end - start) >> kPageShift,
                                    static_cast<uint32_t>(kind_of(attributes)));
}

void trace_unmapped(const LockedSpace& space, VirtAddr start, VirtAddr end) {
    if (Thread::current().space == &space.space())
        trace<TraceType::unmap_event>(start.raw(), (end - start) >> kPageShift);
}

void trace_regions(AddressSpace& of) {
    if (!trace_wanted<TraceType::map_event>()) return;
    LockedSpace space(of);
    for (const Region* r = space->regions.find_from(VirtAddr(0)); r; r = space->regions.next(*r))
        trace_mapped(space, r->start, r->end, r->attributes);
}

void trace_resident(LockedSpace& space) {
    const uint32_t tick = ticks_now().raw();
    if (tick == space->resident_traced) [[likely]]
        return;
    space->resident_traced = tick;
    const uint32_t self = static_cast<uint32_t>(reinterpret_cast<uintptr_t>(&space.space()));
    trace<TraceType::resident_event>(self, space->pages.resident(),
                                     space.space().paging().working_set, space->pages.swapped());
}

void trace_evicted(LockedSpace& space, VirtAddr page, Frame frame, bool dirty) {
    const uint32_t self = static_cast<uint32_t>(reinterpret_cast<uintptr_t>(&space.space()));
    trace<TraceType::evict_event>(page.raw(), frame.raw(), dirty, self);
    trace_resident(space);
}

void trace_frames(uint32_t of_files) {
    if (!trace_wanted<TraceType::frames_event>()) return;
    static constinit uint32_t last_free = 0, last_of_files = 0;
    const MemoryTotals memory = memory_totals();
    if (memory.free == last_free && of_files == last_of_files) return;
    last_free = memory.free;
    last_of_files = of_files;
    const uint32_t kernel = heap_statistics().pages;
    trace<TraceType::frames_event>(memory.free, of_files, kernel,
                                   memory.total - memory.free - of_files - kernel);
}
