// Which CPU a thread is queued for. One that becomes ready goes where it can run at once: where it
// ran last, an idle CPU, one whose thread has to give way to it; else to the shortest queue. A CPU
// that has nothing to do takes a thread off the longest queue, and every tick evens queues out.
// Affinity is obeyed by all of it.
// Locks: run_queue, held by the callers.
#include "kernel/sched/dispatcher.hpp"

namespace {

bool runs_at_once(const CpuQueue& queue, const Thread& thread, Nanoseconds now) QUEUES_HELD {
    if (queue.cpu.reschedule || queue.cpu.current == queue.cpu.idle) return false;
    return queue.run.preempts(thread.sched, queue.cpu.current->sched, now);
}

// The one that is ready there for the longest time and may run here.
Thread* first_movable(const CpuQueue& from, const CpuQueue& to) QUEUES_HELD {
    for (Thread* t = from.ready.front(); t; t = from.ready.next(*t))
        if (may_run_on(*t, to.cpu) && !t->sched.throttled) return t;
    return nullptr;
}

}  // namespace

CpuQueue& choose_queue(const Thread& thread, Nanoseconds now) {
    if (cpu_count == 1) return this_queue();
    CpuQueue& last = queue_of(thread);
    const bool may_stay = may_run_on(thread, last.cpu);
    if (may_stay && last.idles()) return last;
    CpuQueue* preemptible = nullptr;
    CpuQueue* shortest = may_stay ? &last : nullptr;
    for (uint32_t i = 0; i < cpu_count; ++i) {
        CpuQueue& queue = *cpus[i]->queue;
        if (!may_run_on(thread, queue.cpu)) continue;
        if (queue.idles()) return queue;
        if (!preemptible && runs_at_once(queue, thread, now)) preemptible = &queue;
        if (!shortest || queue.run.ready_count() < shortest->run.ready_count()) shortest = &queue;
    }
    if (may_stay && runs_at_once(last, thread, now)) return last;
    return preemptible ? *preemptible : shortest ? *shortest : last;
}

bool pull_work(CpuQueue& to, uint32_t at_least, Nanoseconds now) {
    Thread* best = nullptr;
    uint32_t most = at_least - 1;
    for (uint32_t i = 0; i < cpu_count; ++i) {
        const CpuQueue& from = *cpus[i]->queue;
        if (&from == &to || from.run.ready_count() <= most) continue;
        Thread* found = first_movable(from, to);
        if (!found) continue;
        best = found;
        most = from.run.ready_count();
    }
    if (!best) return false;
    unqueue(*best);
    best->last_cpu = to.cpu.id;
    // A real-time thread keeps what is left of its turn or budget.
    const bool fair = best->sched.sched_class == SchedClass::fair;
    const Nanoseconds since = best->sched.ready_since;
    to.run.enqueue(best->sched, fair ? ReadyReason::moved : ReadyReason::preempted, now);
    best->sched.ready_since = since;
    to.ready.push_back(*best);
    return true;
}

void offer_to_idle(const Thread& thread) {
    for (uint32_t i = 0; i < cpu_count; ++i) {
        CpuQueue& queue = *cpus[i]->queue;
        if (!queue.idles() || !may_run_on(thread, queue.cpu)) continue;
        return request_reschedule(queue.cpu);
    }
}

// Every tick: an idle CPU looks for work, a busy one evens out the queues.
void balance(CpuQueue& queue) {
    const Nanoseconds now = monotonic_now();
    if (!pull_work(queue, queue.cpu.current == queue.cpu.idle ? 1 : queue.run.ready_count() + 2,
                   now))
        return;
    Thread& fresh = *queue.ready.back();
    if (queue.cpu.current == queue.cpu.idle ||
        queue.run.preempts(fresh.sched, queue.cpu.current->sched, now))
        queue.cpu.reschedule = true;
}
