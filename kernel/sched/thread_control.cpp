// What happens to a thread beside the way from one to the next (scheduler.cpp): others suspend and
// resume it or interrupt its sleep, it has to leave this CPU; and the one place where its state changes.
// Locks: run_queue (dispatcher.hpp).
#include <array>
#include <utility>

#include "kernel/arch/lapic.hpp"
#include "kernel/lib/log.hpp"
#include "kernel/sched/dispatcher.hpp"
#include "kernel/sched/jobs.hpp"
#include "kernel/sched/state_changes.hpp"
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

namespace {

// Bit `to` of [from]: is_legal_change(), worked out beforehand.
constexpr auto kLegalChanges = [] {
    std::array<uint8_t, kThreadStates> legal{};
    for (uint32_t i = 0; i < kThreadStates * kThreadStates; ++i) {
        const auto from = static_cast<ThreadState>(i / kThreadStates);
        const auto to = static_cast<ThreadState>(i % kThreadStates);
        if (from == to || is_legal_change(from, to))
            legal[i / kThreadStates] |= 1u << i % kThreadStates;
    }
    return legal;
}();

// A bug of the kernel; the first is told, and it goes on.
[[gnu::cold, gnu::noinline]] void note_illegal_change(const Thread& thread, ThreadState to) {
    static constinit bool told = false;
    if (std::exchange(told, true)) return;
    log_error("thread {} goes from {} to {}, which is no change of state", thread.tid,
              state_name(thread.state), state_name(to));
}

}  // namespace

// A change to running is traced as a switch.
void set_state(Thread& thread, ThreadState state, const char* reason, Nanoseconds now) {
    if (!(kLegalChanges[static_cast<uint32_t>(thread.state)] >> static_cast<uint32_t>(state) & 1))
        [[unlikely]]
        note_illegal_change(thread, state);
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
    if (thread.state == ThreadState::running) {  // on its way to user mode, or when it blocks
        thread.suspend_wanted = true;
        return request_reschedule(queue_of(thread).cpu);
    }
    const ThreadState next = state_after_suspend(thread.state);
    if (next == thread.state) return;
    if (is_queued(thread)) unqueue(thread);
    const char* reason = next == ThreadState::suspended_ready ? "suspended" : thread.wait_reason;
    set_state(thread, next, reason, monotonic_now());
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
    thread.suspend_wanted = thread.rest_wanted = false;
    const ThreadState next = state_after_resume(thread.state);
    if (next == thread.state) return;
    if (next == ThreadState::ready) return make_ready(thread, ReadyReason::moved, monotonic_now());
    set_state(thread, next, thread.wait_reason, monotonic_now());
}
