// What the trace says of a disk's queue. Fields: kernel/trace/events.hpp.
// Locks: none.
#pragma once

#include "drivers/disk_queue.hpp"
#include "kernel/trace/trace.hpp"

void disk_trace_init();  // the names of the kinds

inline void trace_disk_queued(uint32_t device, const BlockIo& io) {
    trace<TraceType::disk_queued_event>(device, static_cast<uint32_t>(io.sector), io.count,
                                        static_cast<uint32_t>(io.kind));
}
inline void trace_disk_issued(uint32_t device, const DiskRun& run) {
    trace<TraceType::disk_issued_event>(device, static_cast<uint32_t>(run.sector), run.count,
                                        static_cast<uint32_t>(run.kind));
}
inline void trace_disk_done(uint32_t device, const DiskRun& run, Errno failure) {
    trace<TraceType::disk_done_event>(device, static_cast<uint32_t>(run.sector), run.count,
                                      static_cast<uint32_t>(failure));
}
