// See run_log.hpp.
#include "kernel/sched/run_log.hpp"

#include <new>
#include <utility>

#include "kernel/sched/dispatcher.hpp"

constinit RunEntry* run_log_ring = nullptr;

namespace {
constinit uint32_t capacity = 0;
constinit uint64_t written = 0;
}  // namespace

void log_run(const RunEntry& entry) { run_log_ring[written++ % capacity] = entry; }

Result<void> run_log_resize(uint32_t entries) {
    if (entries > kMaxRunLog) return Errno::inval;
    RunEntry* fresh = entries ? new (std::nothrow) RunEntry[entries] : nullptr;
    if (entries && !fresh) return Errno::nomem;
    {
        RunQueueGuard guard;
        std::swap(run_log_ring, fresh);
        capacity = entries;
        written = 0;
    }
    delete[] fresh;
    return {};
}

uint32_t run_log_capacity() { return capacity; }

uint64_t run_log_count() {
    RunQueueGuard guard;
    return written;
}

bool run_log_entry(uint64_t which, RunEntry& to) {
    RunQueueGuard guard;
    if (which >= written || written - which > capacity) return false;
    to = run_log_ring[which % capacity];
    return true;
}
