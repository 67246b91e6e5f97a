// Start-up of the scheduler: the boot code becomes the first thread, each CPU gets its queue and its idle
// thread; and what CPUs ask of one another.
// Locks: run_queue (dispatcher.hpp).
#include <new>

#include "kernel/arch/cpu.hpp"
#include "kernel/arch/interrupts.hpp"
#include "kernel/arch/lapic.hpp"
#include "kernel/sched/dispatcher.hpp"
#include "kernel/sched/jobs.hpp"
#include "kernel/trace/trace.hpp"

namespace {

constinit TraceNames state_names{
    "state", [](uint32_t state) { return state_name(static_cast<ThreadState>(state)); },
    static_cast<uint32_t>(ThreadState::terminated) + 1};

// Another CPU wants something of this one. What it is it left in `reschedule`, `rearm`, or in the
// running thread's interrupt_pending: the way back to user mode looks at those.
void on_kick() {
    if (!this_cpu().rearm) return;
    RunQueueGuard guard;
    this_cpu().rearm = false;
    arm_dispatch_timer(this_queue());
}

}  // namespace

void scheduler_init() {
    this_cpu().queue = CpuQueue::make(this_cpu());  // never destroyed
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
    cpu.idle->state = ThreadState::running;
}

Result<void> scheduler_add_cpu(Cpu& cpu) {
    Ref<Thread> idle = TRY(Thread::create("idle", nullptr, nullptr));
    CpuQueue* queue = CpuQueue::make(cpu);
    if (!queue) return Errno::nomem;
    cpu.queue = queue;
    idle->tid = 0;  // as all idle threads
    idle->last_cpu = cpu.id;
    idle->affinity = cpu_bit(cpu.id);
    idle->state = ThreadState::running;
    cpu.idle = cpu.current = idle.leak();
    return {};
}

void request_reschedule(Cpu& cpu) {
    if (cpu.reschedule) return;
    cpu.reschedule = true;
    if (&cpu != &this_cpu()) lapic_send(cpu.apic_id, kVectorReschedule);
}
