// What the scheduler counts: times by ticks, load averages; and the figures of all that for /proc.
// Locks: run_queue (dispatcher.hpp).
#include <algorithm>

#include "kernel/arch/cpu.hpp"
#include "kernel/sched/dispatcher.hpp"
#include "kernel/sched/scheduler.hpp"

namespace {

constinit uint32_t loads[3] = {};

uint32_t runnable_threads() QUEUES_HELD {
    uint32_t count = 0;
    for (uint32_t i = 0; i < cpu_count; ++i)
        count += cpus[i]->queue->run.ready_count() + (cpus[i]->current != cpus[i]->idle);
    return count;
}

}  // namespace

void count_ticks(uint32_t ticks, bool from_user) {
    Thread& self = Thread::current();
    CpuQueue& queue = this_queue();
    if (&self == queue.cpu.idle) {
        queue.idle_ticks += ticks;
    } else {
        (from_user ? self.user_time : self.kernel_time) += uint64_t{ticks} * kNanosecondsPerTick;
        (from_user ? queue.user_ticks : queue.kernel_ticks) += ticks;
    }
    // Every 5 seconds: load = load * e + n * (1 - e), 11 bits of fraction.
    constexpr uint32_t kDecay[3] = {1884, 2014, 2037}, kInterval = 5 * kTicksPerSecond;
    if (queue.cpu.id == 0 && ticks_now().raw() % kInterval < ticks)
        for (int i = 0; i < 3; ++i)
            loads[i] =
                (loads[i] * kDecay[i] + (runnable_threads() << 11) * (2048 - kDecay[i])) >> 11;
}

SchedulerStatistics scheduler_statistics() {
    RunQueueGuard guard;
    SchedulerStatistics copy = sched_statistics;
    for (uint32_t i = 0; i < cpu_count; ++i) {
        const CpuTicks ticks = cpu_ticks(i);
        copy.user_ticks += ticks.user;
        copy.kernel_ticks += ticks.kernel;
        copy.idle_ticks += ticks.idle;
        copy.context_switches += cpus[i]->queue->context_switches;
    }
    copy.ready = runnable_threads();
    copy.idle_nanoseconds = copy.idle_ticks * kNanosecondsPerTick;
    return copy;
}

CpuTicks cpu_ticks(uint32_t id) {
    const CpuQueue& queue = *cpus[id]->queue;
    return {queue.user_ticks, queue.kernel_ticks, queue.idle_ticks, queue.context_switches};
}

uint64_t cpu_busy_nanoseconds(uint32_t id) {
    const uint64_t idle = cpu_time_of(*cpus[id]->idle), all = monotonic_now().raw();
    return all > idle ? all - idle : 0;
}

uint64_t cpu_time_of(const Thread& thread) {
    RunQueueGuard guard;
    uint64_t total = thread.sched.cpu_time;
    if (thread.state == ThreadState::running)
        total += monotonic_now() - Nanoseconds(thread.started_at);
    return total;
}

void load_averages(uint32_t (&out)[3]) {
    for (int i = 0; i < 3; ++i) out[i] = loads[i];
}

IoCounts& own_io_counts() { return Thread::current().io; }
