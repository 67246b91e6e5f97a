// See scheduler.hpp and thread.hpp. How a CPU goes from one thread to the next: a thread gives it up
// (yield, the end of a turn, a sleep, its end), the policy picks one, the registers are exchanged. What
// one thread does to another (suspend, interrupt) is in thread_control.cpp; the other CPUs' part in
// balance.cpp; start-up in scheduler_init.cpp.
// Invariant: the run queue's lock is held across a context switch: the thread that switches away takes
// it, the one that runs next releases it.
// Locks: run_queue (dispatcher.hpp).
#include "kernel/sched/scheduler.hpp"

#include <algorithm>
#include <utility>

#include "kernel/arch/cpu.hpp"
#include "kernel/arch/fpu.hpp"
#include "kernel/arch/lapic.hpp"
#include "kernel/sched/dispatcher.hpp"
#include "kernel/sched/state_changes.hpp"
#include "kernel/trace/trace.hpp"

extern "C" void switch_context(uint32_t* save_esp, uint32_t next_esp);

constinit SpinLock run_queue_lock{LockRank::run_queue};

// --- picking and switching

namespace {

// The one that the policy takes out of the queue, one from another CPU's, or the idle thread.
Thread& pick_next(CpuQueue& queue, Nanoseconds now) QUEUES_HELD {
    SchedEntity* entity = queue.run.pick_next(now);
    if (!entity && cpu_count > 1 && pull_work(queue, 1, now)) entity = queue.run.pick_next(now);
    if (!entity) return *queue.cpu.idle;
    Thread& next = *static_cast<Thread*>(entity->owner);
    next.ready_time += now - entity->ready_since;
    ++next.turns;
    if (next.ready_node.linked()) next.ready_node.unlink();
    return next;
}

// When the dispatcher has to look again: the end of the running thread's turn, or of a throttling.
Nanoseconds next_dispatch(const CpuQueue& queue) QUEUES_HELD {
    const SchedEntity& running = queue.cpu.current->sched;
    return std::min(queue.run.next_event(), running.on_cpu ? queue.run.turn_end(running) : kNever);
}

// Interrupts off, lock held; still so on return, in the context of the thread that switched to us.
void switch_to(Cpu& cpu, Thread& previous, Thread& next) {
    ++cpu.queue->context_switches;
    if (previous.process) fpu_save(previous.fpu);
    cpu.current_tid = next.tid;
    cpu.tss.esp0 = next.stack_top();
    if (next.process) {
        for (uint32_t i = 0; i < GDT_TLS_COUNT; ++i) cpu.gdt[GDT_TLS_FIRST + i] = next.tls[i];
        fpu_load(next.fpu);
    }
    if (previous.debug_registers != next.debug_registers) [[unlikely]]
        load_debug_registers(next.debug_registers);
    if (next.page_directory.raw() && next.page_directory != cpu.loaded_directory) {
        cpu.loaded_directory = next.page_directory;
        write_cr3(next.page_directory.raw());
        load_local_descriptors(cpu, next.local_descriptors);
    }
    switch_context(&previous.saved_esp, next.saved_esp);
}

// What the thread that just got the CPU does first. A terminated predecessor is freed here, because
// no thread can free the stack that it runs on.
void finish_switch() RELEASE(run_queue_lock) {
    Cpu& cpu = this_cpu();
    Thread* dead = std::exchange(cpu.dead, nullptr);
    run_queue_lock.unlock();
    count_to_dispatch_deadline();
    if (dead) Ref<Thread>::adopt(dead);
}

// The current thread no longer runs: its state says so, and it is queued if it is ready. Interrupts
// off, lock held; the lock is released on return, when the thread runs again.
void schedule_locked(Nanoseconds now) RELEASE(run_queue_lock) {
    Cpu& cpu = this_cpu();
    cpu.reschedule = false;
    Thread& previous = *cpu.current;
    previous.sched.cpu_time += now.raw() - previous.started_at;
    Thread& next = pick_next(*cpu.queue, now);
    next.started_at = now.raw();
    next.last_cpu = cpu.id;
    trace<TraceType::switch_event>(static_cast<uint32_t>(next.tid),
                                   static_cast<uint32_t>(previous.state));
    set_state(next, ThreadState::running, "", now);
    cpu.current = &next;  // from here on it is what others preempt
    cpu.reschedule = next.rest_wanted;
    set_dispatch_deadline(next_dispatch(*cpu.queue));
    if (cpu_count > 1 && is_queued(previous) && &previous != cpu.idle) offer_to_idle(previous);
    if (&next != &previous) switch_to(cpu, previous, next);
    finish_switch();
}

}  // namespace

// The first thing that a new thread does.
extern "C" void thread_started() RELEASE(run_queue_lock) {
    finish_switch();
    enable_interrupts();
}
extern "C" [[noreturn]] void exit_thread_from_trampoline() { exit_thread(); }

// --- giving up the CPU

namespace {

// The current thread could go on, but another may be better: it is queued again.
void requeue(Thread& self, ReadyReason reason, Nanoseconds now) RELEASE(run_queue_lock) {
    CpuQueue& queue = this_queue();
    if (must_leave(self, queue, reason)) {
        send_away(self, reason, now);
    } else {
        const bool others = queue.run.ready_count() > 0;
        if (others)
            ++(reason == ReadyReason::yielded ? self.voluntary_switches
                                              : self.involuntary_switches);
        set_state(self, ThreadState::ready, ready_reason_name(reason), now);
        queue.run.enqueue(self.sched, reason, now);
        if (cpu_count > 1) queue.ready.push_back(self);
    }
    schedule_locked(now);
}

// The idle thread is in no queue.
void leave_idle() {
    InterruptsOff off;
    run_queue_lock.lock();
    const Nanoseconds now = monotonic_now();
    set_state(Thread::current(), ThreadState::ready, "", now);
    schedule_locked(now);
}

}  // namespace

void yield() {
    InterruptsOff off;
    run_queue_lock.lock();
    Thread& self = Thread::current();
    if (yields_to_none(self, this_queue())) {
        // An emulator whose CPUs take turns changes to another one at a pause: to that which is waited
        // for. That costs much, so it is for those that go on yielding.
        const bool spins = cpu_count > 1 && ++this_queue().vain_yields % 64 == 0;
        run_queue_lock.unlock();
        if (spins) asm volatile("pause");
        return;
    }
    requeue(self, ReadyReason::yielded, monotonic_now());
}

void reschedule_if_wanted() {
    if (!this_cpu().reschedule) return;
    InterruptsOff off;
    run_queue_lock.lock();
    Thread& self = Thread::current();
    const Nanoseconds now = monotonic_now();
    const bool over = now >= this_queue().run.turn_end(self.sched);
    requeue(self, over ? ReadyReason::quantum_expired : ReadyReason::preempted, now);
}

// A thread that is to be suspended goes on: it may hold what others need.
void preemption_point() {
    const Thread& self = Thread::current();
    const bool stays = self.suspend_wanted || self.rest_wanted || &self == this_cpu().idle;
    if (interrupts_enabled() && !stays) reschedule_if_wanted();
}

void exit_thread() {
    disable_interrupts();
    run_queue_lock.lock();
    Thread& self = Thread::current();
    const Nanoseconds now = monotonic_now();
    self.sched.stop(now);
    note_thread_ended(self);
    set_state(self, ThreadState::terminated, "", now);
    this_cpu().dead = &self;
    schedule_locked(now);
    VERIFY(false && "a terminated thread ran");
    __builtin_unreachable();
}

void idle_loop(bool spin) {
    for (;;) {
        disable_interrupts();
        const bool wanted = this_cpu().reschedule;
        // STI holds interrupts off for one more instruction.
        if (!wanted && !spin) asm volatile("sti; hlt");
        enable_interrupts();
        if (wanted) leave_idle();
        if (spin) asm volatile("pause");
    }
}

// --- sleeping and waking

namespace {

// Sleeps, unless what it would wait for has come already.
void block(Thread& self, const WaitOptions& options) {
    InterruptsOff off;
    run_queue_lock.lock();
    if (self.permit || (options.interruptible && self.interrupt_pending)) {
        run_queue_lock.unlock();
    } else {
        const Nanoseconds now = monotonic_now();
        self.sched.stop(now);
        set_state(self, blocked_or_suspended(self), options.reason, now);
        self.interruptible = options.interruptible;
        ++self.voluntary_switches;
        schedule_locked(now);
    }
    self.permit = false;
}

struct ParkTimer : Timer {
    Thread* thread;
};

}  // namespace

Woken park(const WaitOptions& options) {
    check_may_sleep();
    Thread& self = Thread::current();
    VERIFY(&self != this_cpu().idle);
    ParkTimer timer;
    if (options.deadline.raw()) {
        timer.thread = &self;
        timer.fire = [](Timer& t) { unpark(*static_cast<ParkTimer&>(t).thread); };
        start_timer(timer, options.deadline);
    }
    block(self, options);
    bool expired = false;
    if (options.deadline.raw()) {
        cancel_timer(timer);
        expired = monotonic_now() >= options.deadline;
    }
    if (options.interruptible && self.interrupt_pending) return Woken::interrupted;
    return expired ? Woken::timed_out : Woken::condition;
}

void unpark(Thread& thread) {
    RunQueueGuard guard;
    thread.permit = true;
    wake(thread);
}

void wake(Thread& thread) {
    const ThreadState next = state_after_wake(thread.state);
    if (next == thread.state) return;
    if (next == ThreadState::ready) return make_ready(thread, ReadyReason::woken, monotonic_now());
    set_state(thread, next, "suspended", monotonic_now());
}

void make_ready(Thread& thread, ReadyReason reason, Nanoseconds now) {
    CpuQueue& queue = choose_queue(thread, now);
    Cpu& cpu = queue.cpu;
    set_state(thread, ThreadState::ready, ready_reason_name(reason), now);
    thread.last_cpu = cpu.id;
    queue.run.enqueue(thread.sched, reason, now);
    if (cpu_count > 1) queue.ready.push_back(thread);
    const bool idle = cpu.current == cpu.idle;
    if (thread.sched.throttled ||
        (!idle && RealTimeClass::limits(thread.sched, cpu.current->sched)))
        arm_dispatch_timer(queue);
    else if (idle || queue.run.preempts(thread.sched, cpu.current->sched, now))
        request_reschedule(cpu);
}

void start_thread(Thread& thread) {
    RunQueueGuard guard;
    note_thread_started(thread);
    make_ready(thread, ReadyReason::created, monotonic_now());
}

// --- the clock

void arm_dispatch_timer(CpuQueue& queue) {
    Cpu& cpu = queue.cpu;
    if (&cpu != &this_cpu()) {
        cpu.rearm = true;
        return lapic_send(cpu.apic_id, kVectorReschedule);
    }
    set_dispatch_deadline(next_dispatch(queue));
    count_to_dispatch_deadline();
}

void scheduler_clock(uint32_t ticks, bool turn_over, bool from_user) {
    RunQueueGuard guard;
    Cpu& cpu = this_cpu();
    CpuQueue& queue = *cpu.queue;
    if (ticks) {
        count_ticks(ticks, from_user);
        if (cpu_count > 1) balance(queue);
    }
    if (!turn_over || cpu.reschedule) return;
    const Nanoseconds now = monotonic_now();
    const bool event = queue.run.next_event() <= now, idle = cpu.current == cpu.idle;
    const SchedEntity& running = cpu.current->sched;
    cpu.reschedule =
        idle ? event
             : queue.run.turn_end(running) <= now || (event && queue.run.gives_way(running, now));
    if (!cpu.reschedule) set_dispatch_deadline(next_dispatch(queue));
}
