// See scheduler.hpp and thread.hpp. The run queue's lock is held across a context switch: the
// thread that switches away takes it, the one that runs next releases it.
// Locks: run_queue (dispatcher.hpp).
#include "kernel/sched/scheduler.hpp"

#include <algorithm>
#include <new>

#include "kernel/arch/cpu.hpp"
#include "kernel/arch/fpu.hpp"
#include "kernel/arch/interrupts.hpp"
#include "kernel/arch/lapic.hpp"
#include "kernel/sched/dispatcher.hpp"
#include "kernel/sched/jobs.hpp"
#include "kernel/sched/run_log.hpp"
#include "kernel/trace/trace.hpp"

extern "C" void switch_context(uint32_t* save_esp, uint32_t next_esp);

constinit SpinLock run_queue_lock{LockRank::run_queue};
constinit uint32_t policy_index = Schedulers::kIndexOf<DefaultScheduler>;
constinit SchedulerStatistics sched_statistics{};

namespace {

Thread& thread_of(SchedEntity& entity) { return *static_cast<Thread*>(entity.owner); }

const char* ready_reason_name(ReadyReason reason) {
    constexpr const char* kNames[] = {"created",      "woken",   "preempted",
                                      "quantum over", "yielded", "moved"};
    return kNames[static_cast<uint32_t>(reason)];
}

void load_tls(Cpu& cpu, const Thread& thread) {
    for (uint32_t i = 0; i < GDT_TLS_COUNT; ++i) cpu.gdt[GDT_TLS_FIRST + i] = thread.tls[i];
}

// Interrupts off, lock held; still so on return, in the context of whoever switched to us.
void switch_to(Cpu& cpu, Thread& previous, Thread& next) {
    ++cpu.queue->context_switches;
    if (previous.process) fpu_save(previous.fpu);
    cpu.current_tid = next.tid;
    cpu.tss.esp0 = next.stack_top();
    if (next.process) {
        load_tls(cpu, next);
        fpu_load(next.fpu);
    }
    if (next.page_directory.raw() && next.page_directory != cpu.loaded_directory) {
        cpu.loaded_directory = next.page_directory;
        write_cr3(next.page_directory.raw());
        load_local_descriptors(cpu, next.local_descriptors);
    }
    switch_context(&previous.saved_esp, next.saved_esp);
}

// What the thread that just got the CPU does first. A terminated predecessor is freed here,
// because nobody can free the stack it is running on.
void finish_switch() RELEASE(run_queue_lock) {
    Cpu& cpu = this_cpu();
    Thread* dead = std::exchange(cpu.dead, nullptr);
    run_queue_lock.unlock();
    if (dead) Ref<Thread>::adopt(dead);
}

// Interrupts off, lock held; lock released on return. The current thread is no longer running:
// its state was changed, and it was queued if it is ready. `why` is for the run log.
void schedule_locked(Nanoseconds now, const char* why) RELEASE(run_queue_lock) {
    Cpu& cpu = this_cpu();
    cpu.reschedule = false;
    Thread& previous = *cpu.current;
    previous.sched.cpu_time += now.raw() - previous.started_at;
    if (run_log_enabled() && &previous != cpu.idle)
        log_run({previous.tid, Nanoseconds(previous.started_at), now, why});
    CpuQueue& queue = *cpu.queue;
    SchedEntity* entity = queue.run.pick_next(now);
    if (!entity && cpu_count > 1 && pull_work(queue, 1, now)) entity = queue.run.pick_next(now);
    Thread& next = entity ? thread_of(*entity) : *cpu.idle;
    if (entity) {
        next.ready_time += now - entity->ready_since;
        ++next.turns;
        if (next.ready_node.linked()) next.ready_node.unlink();
    }
    next.started_at = now.raw();
    next.last_cpu = cpu.id;
    trace<TraceType::switch_event>(static_cast<uint32_t>(next.tid),
                                   static_cast<uint32_t>(previous.state));
    set_state(next, ThreadState::running, "", now);
    cpu.current = &next;  // from here on it is what others preempt
    cpu.reschedule = next.rest_wanted;
    arm_dispatch_timer(queue);
    if (is_queued(previous) && &previous != cpu.idle && cpu_count > 1) offer_to_idle(previous);
    if (&next != &previous) switch_to(cpu, previous, next);
    finish_switch();
}

constinit TraceNames state_names{
    "state", [](uint32_t state) { return state_name(static_cast<ThreadState>(state)); },
    static_cast<uint32_t>(ThreadState::terminated) + 1};

struct ParkTimer : Timer {
    Thread* thread;
};

}  // namespace

const char* state_name(ThreadState state) {
    constexpr const char* kNames[] = {
        "new", "ready", "running", "blocked", "suspended-ready", "suspended-blocked", "terminated"};
    return kNames[static_cast<uint32_t>(state)];
}

// The one place where a thread's state changes. One to running is traced as a switch.
void set_state(Thread& thread, ThreadState state, const char* reason, Nanoseconds now) {
    if (state != ThreadState::running)
        trace<TraceType::state_event>(static_cast<uint32_t>(thread.tid),
                                      static_cast<uint32_t>(thread.state),
                                      static_cast<uint32_t>(state), trace_text(reason));
    thread.state = state;
    thread.wait_reason = state == ThreadState::ready ? "" : reason;
    thread.state_since = now;
}

void request_reschedule(Cpu& cpu) {
    if (cpu.reschedule) return;
    cpu.reschedule = true;
    if (&cpu != &this_cpu()) lapic_send(cpu.apic_id, kVectorReschedule);
}

void arm_dispatch_timer(CpuQueue& queue) {
    Cpu& cpu = queue.cpu;
    if (&cpu != &this_cpu()) {
        cpu.rearm = true;
        return lapic_send(cpu.apic_id, kVectorReschedule);
    }
    Nanoseconds deadline = queue.run.next_event();
    if (cpu.current != cpu.idle && cpu.current->sched.on_cpu)
        deadline = std::min(deadline, queue.run.turn_end(cpu.current->sched));
    set_dispatch_deadline(deadline);
}

namespace {
// Another CPU wants something of this one. What it is it left in `reschedule`, `rearm`, or in the
// running thread's interrupt_pending: the way back to user mode looks at those.
void on_kick() {
    if (!this_cpu().rearm) return;
    RunQueueGuard guard;
    this_cpu().rearm = false;
    arm_dispatch_timer(this_queue());
}
}  // namespace

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

void unqueue(Thread& thread) {
    queue_of(thread).run.dequeue(thread.sched);
    if (thread.ready_node.linked()) thread.ready_node.unlink();
}

extern "C" void thread_started() RELEASE(run_queue_lock) {
    finish_switch();
    enable_interrupts();
}
extern "C" [[noreturn]] void exit_thread_from_trampoline() { exit_thread(); }

void scheduler_init() {
    // No static constructors: the queue is made here, and never destroyed.
    alignas(CpuQueue) static constinit std::byte queue[sizeof(CpuQueue)] = {};
    this_cpu().queue = new (queue) CpuQueue(this_cpu());
    jobs_init();
    set_local_handler(kVectorReschedule, on_kick);
    set_local_handler(kVectorShootDown, serve_shoot_down);
    add_trace_names(state_names);

    extern char boot_stack_bottom[] asm("boot_stack_bottom");
    Ref<Thread> boot =
        Thread::adopt_boot_thread(VirtAddr(reinterpret_cast<uint32_t>(boot_stack_bottom)));
    Cpu& cpu = this_cpu();
    cpu.idle = cpu.current = boot.leak();
    cpu.loaded_directory = PhysAddr(read_cr3());
    set_state(*cpu.idle, ThreadState::running, "", Nanoseconds(0));
}

Result<void> scheduler_add_cpu(Cpu& cpu) {
    Ref<Thread> idle = TRY(Thread::create("idle", nullptr, nullptr));
    auto* queue = new (std::nothrow) CpuQueue(cpu);
    if (!queue) return Errno::nomem;
    cpu.queue = queue;
    idle->tid = 0;  // as all idle threads
    idle->last_cpu = cpu.id;
    idle->affinity = cpu_bit(cpu.id);
    set_state(*idle, ThreadState::running, "", Nanoseconds(0));
    cpu.idle = cpu.current = idle.leak();
    return {};
}

void note_thread_started(Thread& thread) {
    VERIFY(thread.state == ThreadState::created);
    thread.add_ref();
    thread.sched.owner = &thread;
    ++sched_statistics.threads_created;
    ++sched_statistics.threads;
}

void start_thread(Thread& thread) {
    RunQueueGuard guard;
    note_thread_started(thread);
    make_ready(thread, ReadyReason::created, monotonic_now());
}

namespace {
// The current thread stays ready, or goes to sleep as suspended.
void give_way(bool yielded) {
    InterruptsOff off;
    run_queue_lock.lock();
    Thread& self = Thread::current();
    SchedEntity& entity = self.sched;
    CpuQueue& queue = this_queue();
    const Nanoseconds now = monotonic_now();
    const char* why = "";
    if (&self == this_cpu().idle) {
        set_state(self, ThreadState::ready, "", now);
    } else if (self.suspend_wanted || (self.rest_wanted && !yielded)) {
        self.suspend_wanted = self.rest_wanted = false;
        entity.stop(now);
        set_state(self, ThreadState::suspended_ready, "suspended", now);
        why = "blocked";
    } else if (!may_run_on(self, queue.cpu)) {  // its affinity has changed
        entity.stop(now);
        make_ready(self, ReadyReason::moved, now);
        why = "preempted";
    } else {
        const bool alone = queue.run.ready_count() == 0;
        // A deadline thread that yields is done for this period, alone or not.
        if (yielded && alone && entity.sched_class != SchedClass::deadline) {
            run_queue_lock.unlock();
            return;
        }
        if (!alone) (yielded ? self.voluntary_switches : self.involuntary_switches)++;
        const ReadyReason reason = yielded ? ReadyReason::yielded
                                   : now >= queue.run.turn_end(entity)
                                       ? ReadyReason::quantum_expired
                                       : ReadyReason::preempted;
        set_state(self, ThreadState::ready, ready_reason_name(reason), now);
        queue.run.enqueue(entity, reason, now);
        if (cpu_count > 1) queue.ready.push_back(self);
        why = reason == ReadyReason::yielded           ? "yield"
              : reason == ReadyReason::quantum_expired ? "quantum"
                                                       : "preempted";
    }
    schedule_locked(now, why);
}
}  // namespace

void yield() { give_way(true); }
bool reschedule_wanted() { return this_cpu().reschedule; }
void reschedule_if_wanted() {
    if (this_cpu().reschedule) give_way(false);
}

void exit_thread() {
    disable_interrupts();
    run_queue_lock.lock();
    Thread& self = Thread::current();
    --sched_statistics.threads;
    const Nanoseconds now = monotonic_now();
    self.sched.stop(now);
    release_reservation(self);
    set_state(self, ThreadState::terminated, "", now);
    this_cpu().dead = &self;
    schedule_locked(now, "ended");
    VERIFY(false && "a terminated thread ran");
    __builtin_unreachable();
}

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
    {
        InterruptsOff off;
        run_queue_lock.lock();
        if (self.permit || (options.interruptible && self.interrupt_pending)) {
            run_queue_lock.unlock();
        } else {
            const Nanoseconds now = monotonic_now();
            self.sched.stop(now);
            set_state(self,
                      std::exchange(self.suspend_wanted, false) ? ThreadState::suspended_blocked
                                                                : ThreadState::blocked,
                      options.reason, now);
            self.interruptible = options.interruptible;
            ++self.voluntary_switches;
            schedule_locked(now, "blocked");
        }
        self.permit = false;
    }
    bool expired = false;
    if (options.deadline.raw()) {
        cancel_timer(timer);
        expired = monotonic_now() >= options.deadline;
    }
    if (options.interruptible && self.interrupt_pending) return Woken::interrupted;
    return expired ? Woken::timed_out : Woken::condition;
}

namespace {
// What it waited for has come.
void wake(Thread& thread) {
    const Nanoseconds now = monotonic_now();
    if (thread.state == ThreadState::blocked)
        make_ready(thread, ReadyReason::woken, now);
    else if (thread.state == ThreadState::suspended_blocked)
        set_state(thread, ThreadState::suspended_ready, "suspended", now);
}
}  // namespace

void unpark(Thread& thread) {
    RunQueueGuard guard;
    thread.permit = true;
    wake(thread);
}

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

void idle_loop(bool spin) {
    for (;;) {
        disable_interrupts();
        if (this_cpu().reschedule) {
            enable_interrupts();
            give_way(false);
        } else if (spin) {
            enable_interrupts();
            asm volatile("pause");
        } else {
            asm volatile("sti; hlt");  // STI holds interrupts off for one more instruction
        }
    }
}
