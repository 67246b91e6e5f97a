// What happens to a thread beside the way from one to the next (scheduler.cpp): others suspend and
// resume it or interrupt its sleep, it has to leave this CPU; and the one place where its state changes.
// Locks: run_queue (dispatcher.hpp).
#include <utility>

#include "kernel/arch/lapic.hpp"
#include "kernel/sched/dispatcher.hpp"
#include "kernel/sched/jobs.hpp"
#include "kernel/trace/trace.hpp"

constinit SchedulerStatistics sched_statistics{};

const char* state_name(ThreadState state) {
    constexpr const char* kNames[] = {
        "new", "ready", "running", "blocked", "suspended-ready", "suspended-blocked", "terminated"};
    return kNames[static_cast<uint32_t>(state)];
}

const char* ready_reason_name(ReadyReason reason) {
    constexpr const char* kNames[] = {"created",      "woken",   "preempted",
                                      "quantum over", "yielded", "moved"};
    return kNames[static_cast<uint32_t>(reason)];
}

// A change to running is traced as a switch.
void set_state(Thread& thread, ThreadState state, const char* reason, Nanoseconds now) {
    if (state != ThreadState::running)
        trace<TraceType::state_event>(static_cast<uint32_t>(thread.tid),
                                      static_cast<uint32_t>(thread.state),
                                      static_cast<uint32_t>(state), trace_text(reason));
    thread.state = state;
    thread.wait_reason = state == ThreadState::ready ? "" : reason;
    thread.state_since = now;
}

void note_thread_started(Thread& thread) {
    VERIFY(thread.state == ThreadState::created);
    thread.add_ref();
    thread.sched.owner = &thread;
    ++sched_statistics.threads_created;
    ++sched_statistics.threads;
}
void note_thread_ended(Thread& thread) {
    --sched_statistics.threads;
    release_reservation(thread);
}

void unqueue(Thread& thread) {
    queue_of(thread).run.dequeue(thread.sched);
    if (thread.ready_node.linked()) thread.ready_node.unlink();
}

// --- the current thread

bool yields_to_none(const Thread& self, const CpuQueue& queue) {
    // A deadline thread that yields is done for this period, alone or not.
    return queue.run.ready_count() == 0 && self.sched.sched_class != SchedClass::deadline &&
           !must_leave(self, queue, ReadyReason::yielded);
}

// A yield is no way to user mode, where load control may put a thread to rest.
static bool is_to_be_suspended(const Thread& self, ReadyReason reason) {
    return self.suspend_wanted || (self.rest_wanted && reason != ReadyReason::yielded);
}

bool must_leave(const Thread& self, const CpuQueue& queue, ReadyReason reason) {
    return is_to_be_suspended(self, reason) || !may_run_on(self, queue.cpu);
}

// Suspended, or in the queue of a CPU where its affinity lets it run.
void send_away(Thread& self, ReadyReason reason, Nanoseconds now) {
    self.sched.stop(now);
    if (!is_to_be_suspended(self, reason)) return make_ready(self, ReadyReason::moved, now);
    self.suspend_wanted = self.rest_wanted = false;
    set_state(self, ThreadState::suspended_ready, "suspended", now);
}

ThreadState blocked_or_suspended(Thread& self) {
    return std::exchange(self.suspend_wanted, false) ? ThreadState::suspended_blocked
                                                     : ThreadState::blocked;
}

// --- others

void interrupt_thread(Thread& thread) {
    RunQueueGuard guard;
    thread.interrupt_pending = true;
    if (!admit_job_now(thread) && thread.interruptible) wake(thread);
    if (thread.state != ThreadState::running) return;
    const Cpu& cpu = queue_of(thread).cpu;
    if (&cpu != &this_cpu()) lapic_send(cpu.apic_id, kVectorReschedule);
}

void suspend_thread(Thread& thread) {
    RunQueueGuard guard;
    const Nanoseconds now = monotonic_now();
    switch (thread.state) {
        case ThreadState::running:  // on its way to user mode, or when it blocks
            thread.suspend_wanted = true;
            request_reschedule(queue_of(thread).cpu);
            break;
        case ThreadState::ready:
            unqueue(thread);
            set_state(thread, ThreadState::suspended_ready, "suspended", now);
            break;
        case ThreadState::blocked:
            set_state(thread, ThreadState::suspended_blocked, thread.wait_reason, now);
            break;
        default: break;
    }
}

void put_to_rest(Thread& thread) {
    RunQueueGuard guard;
    if (thread.state == ThreadState::blocked && thread.interruptible)
        return set_state(thread, ThreadState::suspended_blocked, thread.wait_reason,
                         monotonic_now());
    thread.rest_wanted = true;
    if (thread.state == ThreadState::running) request_reschedule(queue_of(thread).cpu);
}

void resume_thread(Thread& thread) {
    RunQueueGuard guard;
    const Nanoseconds now = monotonic_now();
    thread.suspend_wanted = thread.rest_wanted = false;
    if (thread.state == ThreadState::suspended_ready)
        make_ready(thread, ReadyReason::moved, now);
    else if (thread.state == ThreadState::suspended_blocked)
        set_state(thread, ThreadState::blocked, thread.wait_reason, now);
}
