// See scheduler.hpp and thread.hpp. The run queue's lock is held across a context switch: the
// thread that switches away takes it, the one that runs next releases it.
// Locks: run_queue (dispatcher.hpp).
#include "kernel/sched/scheduler.hpp"

#include <algorithm>
#include <new>

#include "kernel/arch/cpu.hpp"
#include "kernel/arch/fpu.hpp"
#include "kernel/arch/interrupts.hpp"
#include "kernel/sched/dispatcher.hpp"
#include "kernel/sched/jobs.hpp"
#include "kernel/sched/run_log.hpp"

extern "C" void switch_context(uint32_t* save_esp, uint32_t next_esp);

constinit SpinLock run_queue_lock{LockRank::run_queue};
constinit SchedTunables sched_tunables{};
constinit PolicySet* policy_set = nullptr;
constinit RealTimeClass* run_queue = nullptr;

namespace {

constexpr std::string_view kDefaultPolicy = "rr";

constinit SpinLock& lock = run_queue_lock;
constinit SchedulerStatistics statistics{};
constinit uint32_t loads[3] = {};

Thread& thread_of(SchedEntity& entity) { return *static_cast<Thread*>(entity.owner); }

void load_tls(Cpu& cpu, const Thread& thread) {
    for (uint32_t i = 0; i < GDT_TLS_COUNT; ++i) cpu.gdt[GDT_TLS_FIRST + i] = thread.tls[i];
}

// Interrupts off, lock held; still so on return, in the context of whoever switched to us.
void switch_to(Cpu& cpu, Thread& previous, Thread& next) {
    ++statistics.context_switches;
    if (previous.process) fpu_save(previous.fpu);
    cpu.current = &next;
    cpu.tss.esp0 = next.stack_top();
    if (next.process) {
        load_tls(cpu, next);
        fpu_load(next.fpu);
    }
    if (next.page_directory.raw() && next.page_directory != cpu.loaded_directory) {
        cpu.loaded_directory = next.page_directory;
        write_cr3(next.page_directory.raw());
    }
    switch_context(&previous.saved_esp, next.saved_esp);
}

// What the thread that just got the CPU does first. A terminated predecessor is freed here,
// because nobody can free the stack it is running on.
void finish_switch() {
    Cpu& cpu = this_cpu();
    Thread* dead = std::exchange(cpu.dead, nullptr);
    lock.unlock();
    if (dead) Ref<Thread>::adopt(dead);
}

// Interrupts off, lock held; lock released on return. The current thread is no longer running:
// its state was changed, and it was queued if it is ready. `why` is for the run log.
void schedule_locked(Nanoseconds now, const char* why) {
    Cpu& cpu = this_cpu();
    cpu.reschedule = false;
    Thread& previous = *cpu.current;
    previous.sched.cpu_time += now.raw() - previous.started_at;
    if (run_log_enabled() && &previous != cpu.idle)
        log_run({previous.tid, Nanoseconds(previous.started_at), now, why});
    SchedEntity* entity = run_queue->pick_next(now);
    Thread& next = entity ? thread_of(*entity) : *cpu.idle;
    if (entity) {
        next.ready_time += now - entity->ready_since;
        ++next.turns;
    }
    next.started_at = now.raw();
    set_state(next, ThreadState::running, "", now);
    Nanoseconds deadline = run_queue->next_event();
    if (entity) deadline = std::min(deadline, run_queue->turn_end(*entity));
    set_dispatch_deadline(deadline);
    if (&next != &previous) switch_to(cpu, previous, next);
    finish_switch();
}

struct ParkTimer : Timer {
    Thread* thread;
};

}  // namespace

const char* state_name(ThreadState state) {
    constexpr const char* kNames[] = {"new",             "ready",             "running",   "blocked",
                                      "suspended-ready", "suspended-blocked", "terminated"};
    return kNames[static_cast<uint32_t>(state)];
}

// The one place where a thread's state changes.
void set_state(Thread& thread, ThreadState state, const char* reason, Nanoseconds now) {
    thread.state = state;
    thread.wait_reason = reason;
    thread.state_since = now;
}

void arm_dispatch_timer() {
    const Cpu& cpu = this_cpu();
    Nanoseconds deadline = run_queue->next_event();
    if (cpu.current != cpu.idle && cpu.current->sched.on_cpu)
        deadline = std::min(deadline, run_queue->turn_end(cpu.current->sched));
    set_dispatch_deadline(deadline);
}

void make_ready(Thread& thread, ReadyReason reason, Nanoseconds now) {
    set_state(thread, ThreadState::ready, "", now);
    run_queue->enqueue(thread.sched, reason, now);
    Cpu& cpu = this_cpu();
    if (thread.sched.throttled)
        arm_dispatch_timer();
    else if (cpu.current == cpu.idle ||
             run_queue->preempts(thread.sched, cpu.current->sched, now))
        cpu.reschedule = true;
}

extern "C" void thread_started() {
    finish_switch();
    enable_interrupts();
}
extern "C" [[noreturn]] void exit_thread_from_trampoline() { exit_thread(); }

void scheduler_init() {
    // No static constructors: the policies are made here, and never destroyed.
    alignas(PolicySet) static constinit std::byte set[sizeof(PolicySet)] = {};
    alignas(RealTimeClass) static constinit std::byte queue[sizeof(RealTimeClass)] = {};
    policy_set = new (set) PolicySet(sched_tunables);
    run_queue = new (queue) RealTimeClass(sched_tunables, *policy_set->find(kDefaultPolicy));
    jobs_init();

    extern char boot_stack_bottom[] asm("boot_stack_bottom");
    Ref<Thread> boot =
        Thread::adopt_boot_thread(VirtAddr(reinterpret_cast<uint32_t>(boot_stack_bottom)));
    Cpu& cpu = this_cpu();
    cpu.idle = cpu.current = boot.leak();
    cpu.loaded_directory = PhysAddr(read_cr3());
    set_state(*cpu.idle, ThreadState::running, "", Nanoseconds(0));
}

void note_thread_started(Thread& thread) {
    VERIFY(thread.state == ThreadState::created);
    thread.add_ref();
    thread.sched.owner = &thread;
    ++statistics.threads_created;
    ++statistics.threads;
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
    lock.lock();
    Thread& self = Thread::current();
    SchedEntity& entity = self.sched;
    const Nanoseconds now = monotonic_now();
    const char* why = "";
    if (&self == this_cpu().idle) {
        set_state(self, ThreadState::ready, "", now);
    } else if (self.suspend_wanted) {
        self.suspend_wanted = false;
        entity.stop(now);
        set_state(self, ThreadState::suspended_ready, "suspended", now);
        why = "blocked";
    } else {
        const bool alone = run_queue->ready_count() == 0;
        // A deadline thread that yields is done for this period, alone or not.
        if (yielded && alone && entity.sched_class != SchedClass::deadline) {
            lock.unlock();
            return;
        }
        if (!alone) (yielded ? self.voluntary_switches : self.involuntary_switches)++;
        const ReadyReason reason = yielded ? ReadyReason::yielded
                                   : now >= run_queue->turn_end(entity)
                                       ? ReadyReason::quantum_expired
                                       : ReadyReason::preempted;
        set_state(self, ThreadState::ready, "", now);
        run_queue->enqueue(entity, reason, now);
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
    lock.lock();
    Thread& self = Thread::current();
    --statistics.threads;
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
        lock.lock();
        if (self.permit || (options.interruptible && self.interrupt_pending)) {
            lock.unlock();
        } else {
            const Nanoseconds now = monotonic_now();
            self.sched.stop(now);
            set_state(self, std::exchange(self.suspend_wanted, false)
                                ? ThreadState::suspended_blocked : ThreadState::blocked,
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
}

void suspend_thread(Thread& thread) {
    RunQueueGuard guard;
    const Nanoseconds now = monotonic_now();
    switch (thread.state) {
    case ThreadState::running:  // on its way to user mode, or when it blocks
        thread.suspend_wanted = true;
        this_cpu().reschedule = true;
        break;
    case ThreadState::ready:
        run_queue->dequeue(thread.sched);
        set_state(thread, ThreadState::suspended_ready, "suspended", now);
        break;
    case ThreadState::blocked:
        set_state(thread, ThreadState::suspended_blocked, thread.wait_reason, now);
        break;
    default: break;
    }
}

void resume_thread(Thread& thread) {
    RunQueueGuard guard;
    const Nanoseconds now = monotonic_now();
    thread.suspend_wanted = false;
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

namespace {

// Locks: run_queue.
void count_ticks(uint32_t ticks, bool from_user) {
    Thread& self = Thread::current();
    const bool idle = &self == this_cpu().idle;
    if (idle) {
        statistics.idle_ticks += ticks;
    } else {
        (from_user ? self.user_time : self.kernel_time) += uint64_t{ticks} * kNanosecondsPerTick;
        (from_user ? statistics.user_ticks : statistics.kernel_ticks) += ticks;
    }
    // Every 5 seconds: load = load * e + n * (1 - e), 11 bits of fraction.
    constexpr uint32_t kDecay[3] = {1884, 2014, 2037}, kInterval = 5 * kTicksPerSecond;
    if (ticks_now().raw() % kInterval < ticks) {
        uint32_t runnable = run_queue->ready_count() + !idle;
        for (int i = 0; i < 3; ++i)
            loads[i] = (loads[i] * kDecay[i] + (runnable << 11) * (2048 - kDecay[i])) >> 11;
    }
}

}  // namespace

void scheduler_clock(uint32_t ticks, bool turn_over, bool from_user) {
    RunQueueGuard guard;
    Cpu& cpu = this_cpu();
    if (ticks) count_ticks(ticks, from_user);
    if (!turn_over || cpu.reschedule) return;
    const Nanoseconds now = monotonic_now();
    const SchedEntity& running = cpu.current->sched;
    if (cpu.current == cpu.idle)
        cpu.reschedule = run_queue->next_event() <= now;
    else
        cpu.reschedule = run_queue->turn_end(running) <= now ||
                         (run_queue->next_event() <= now && run_queue->gives_way(running, now));
    if (!cpu.reschedule) arm_dispatch_timer();
}

SchedulerStatistics scheduler_statistics() {
    RunQueueGuard guard;
    SchedulerStatistics copy = statistics;
    copy.ready = run_queue->ready_count() + (this_cpu().current != this_cpu().idle);
    copy.idle_nanoseconds = copy.idle_ticks * kNanosecondsPerTick;
    return copy;
}

void load_averages(uint32_t (&out)[3]) {
    for (int i = 0; i < 3; ++i) out[i] = loads[i];
}
