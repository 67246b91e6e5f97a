// See scheduler.hpp and thread.hpp. The run queue's lock is held across a context switch: the
// thread that switches away takes it, the one that runs next releases it.
// Locks: run_queue (a plain SpinLock used with interrupts off, because it changes hands).
#include "kernel/sched/scheduler.hpp"

#include "kernel/arch/cpu.hpp"
#include "kernel/arch/fpu.hpp"
#include "kernel/arch/interrupts.hpp"
#include "kernel/sched/clock.hpp"
#include "kernel/sched/round_robin.hpp"

extern "C" void switch_context(uint32_t* save_esp, uint32_t next_esp);

namespace {

constexpr uint32_t kQuantumTicks = 2;

constinit SpinLock lock{LockRank::run_queue};
constinit RoundRobin round_robin{kQuantumTicks};
constinit SchedulingPolicy* policy = &round_robin;
constinit SchedulerStatistics statistics{};
constinit uint32_t loads[3] = {};

Thread& thread_of(SchedEntity& entity) { return *static_cast<Thread*>(entity.owner); }

// The one place where a thread's state changes. Locks: run_queue held.
void set_state(Thread& thread, ThreadState state, const char* reason) {
    thread.state = state;
    thread.wait_reason = reason;
}

void make_ready(Thread& thread, ReadyReason reason) {
    set_state(thread, ThreadState::ready, "");
    policy->enqueue(thread.sched, reason, monotonic_now());
    Cpu& cpu = this_cpu();
    if (cpu.current == cpu.idle || policy->preempts(thread.sched, cpu.current->sched))
        cpu.reschedule = true;
}

void load_tls(Cpu& cpu, const Thread& thread) {
    for (uint32_t i = 0; i < GDT_TLS_COUNT; ++i) cpu.gdt[GDT_TLS_FIRST + i] = thread.tls[i];
}

// Interrupts off, lock held; still so on return, in the context of whoever switched to us.
void switch_to(Cpu& cpu, Thread& previous, Thread& next) {
    uint64_t now = monotonic_now().raw();
    previous.sched.cpu_time += now - previous.started_at;
    next.started_at = now;
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
// its state was changed, and it was queued if it is ready.
void schedule_locked() {
    Cpu& cpu = this_cpu();
    cpu.reschedule = false;
    Thread& previous = *cpu.current;
    SchedEntity* entity = policy->pick_next(monotonic_now());
    Thread& next = entity ? thread_of(*entity) : *cpu.idle;
    set_state(next, ThreadState::running, "");
    if (&next != &previous) switch_to(cpu, previous, next);
    finish_switch();
}

struct ParkTimer : Timer {
    Thread* thread;
};

}  // namespace

const char* state_name(ThreadState state) {
    constexpr const char* kNames[] = {"created",         "ready",             "running",   "blocked",
                                      "suspended-ready", "suspended-blocked", "terminated"};
    return kNames[static_cast<uint32_t>(state)];
}

extern "C" void thread_started() {
    finish_switch();
    enable_interrupts();
}
extern "C" [[noreturn]] void exit_thread_from_trampoline() { exit_thread(); }

void scheduler_init() {
    extern char boot_stack_bottom[] asm("boot_stack_bottom");
    Ref<Thread> boot =
        Thread::adopt_boot_thread(VirtAddr(reinterpret_cast<uint32_t>(boot_stack_bottom)));
    Cpu& cpu = this_cpu();
    cpu.idle = cpu.current = boot.leak();
    cpu.loaded_directory = PhysAddr(read_cr3());
    set_state(*cpu.idle, ThreadState::running, "");
}

void start_thread(Thread& thread) {
    InterruptsOff off;
    lock.lock();
    VERIFY(thread.state == ThreadState::created);
    thread.add_ref();
    thread.sched.owner = &thread;
    ++statistics.threads_created;
    ++statistics.threads;
    make_ready(thread, ReadyReason::created);
    lock.unlock();
}

namespace {
void give_way(ReadyReason reason) {
    InterruptsOff off;
    lock.lock();
    Thread& self = Thread::current();
    if (&self != this_cpu().idle) {
        if (policy->ready_count() == 0) {
            this_cpu().reschedule = false;
            lock.unlock();
            return;
        }
        (reason == ReadyReason::yielded ? self.voluntary_switches : self.involuntary_switches)++;
        set_state(self, ThreadState::ready, "");
        policy->enqueue(self.sched, reason, monotonic_now());
    } else {
        set_state(self, ThreadState::ready, "");
    }
    schedule_locked();
}
}  // namespace

void yield() { give_way(ReadyReason::yielded); }
bool reschedule_wanted() { return this_cpu().reschedule; }
void reschedule_if_wanted() {
    if (this_cpu().reschedule) give_way(ReadyReason::quantum_expired);
}

void exit_thread() {
    disable_interrupts();
    lock.lock();
    Thread& self = Thread::current();
    --statistics.threads;
    set_state(self, ThreadState::terminated, "");
    this_cpu().dead = &self;
    schedule_locked();
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
            set_state(self, ThreadState::blocked, options.reason);
            self.interruptible = options.interruptible;
            ++self.voluntary_switches;
            schedule_locked();
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

void unpark(Thread& thread) {
    InterruptsOff off;
    lock.lock();
    thread.permit = true;
    if (thread.state == ThreadState::blocked) make_ready(thread, ReadyReason::woken);
    lock.unlock();
}

void interrupt_thread(Thread& thread) {
    InterruptsOff off;
    lock.lock();
    thread.interrupt_pending = true;
    if (thread.state == ThreadState::blocked && thread.interruptible)
        make_ready(thread, ReadyReason::woken);
    lock.unlock();
}

void idle_loop(bool spin) {
    for (;;) {
        disable_interrupts();
        if (this_cpu().reschedule) {
            enable_interrupts();
            give_way(ReadyReason::yielded);
        } else if (spin) {
            enable_interrupts();
            asm volatile("pause");
        } else {
            asm volatile("sti; hlt");  // STI holds interrupts off for one more instruction
        }
    }
}

void scheduler_tick(bool from_user) {
    InterruptsOff off;
    lock.lock();
    Cpu& cpu = this_cpu();
    Thread& self = *cpu.current;
    if (&self == cpu.idle) {
        ++statistics.idle_ticks;
    } else {
        (from_user ? self.user_time : self.kernel_time) += kNanosecondsPerTick;
        ++(from_user ? statistics.user_ticks : statistics.kernel_ticks);
        if (policy->on_tick(self.sched, monotonic_now())) cpu.reschedule = true;
    }
    // Every 5 seconds: load = load * e + n * (1 - e), 11 bits of fraction.
    constexpr uint32_t kDecay[3] = {1884, 2014, 2037};
    if (ticks_now().raw() % (5 * kTicksPerSecond) == 0) {
        uint32_t runnable = policy->ready_count() + (&self != cpu.idle);
        for (int i = 0; i < 3; ++i)
            loads[i] = (loads[i] * kDecay[i] + (runnable << 11) * (2048 - kDecay[i])) >> 11;
    }
    lock.unlock();
}

SchedulerStatistics scheduler_statistics() {
    InterruptsOff off;
    lock.lock();
    SchedulerStatistics copy = statistics;
    copy.ready = policy->ready_count() + (this_cpu().current != this_cpu().idle);
    copy.idle_nanoseconds = copy.idle_ticks * kNanosecondsPerTick;
    lock.unlock();
    return copy;
}

void load_averages(uint32_t (&out)[3]) {
    for (int i = 0; i < 3; ++i) out[i] = loads[i];
}
