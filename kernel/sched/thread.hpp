// Thread (TCB): what the dispatcher switches between. A kernel stack, a saved context, a state, the
// accounting, and the per-thread machine state (FPU, TLS segments). It knows its process and its
// address space only as names; kernel/proc and mm own those.
//
// Parking: park() sleeps unless unpark() was called since the last park(); that one permit is
// why a wake-up between "I checked" and "I sleep" is never lost. All state changes happen in
// set_state() (thread_control.cpp), under the run queue's lock.
// Locks: fields are the owning thread's own unless said otherwise; state is under run_queue.
#pragma once

#include "kernel/arch/local_descriptors.hpp"
#include "kernel/arch/trap_frame.hpp"
#include "kernel/lib/list.hpp"
#include "kernel/lib/ref.hpp"
#include "kernel/lib/types.hpp"
#include "kernel/sched/io_counts.hpp"
#include "kernel/sched/policy.hpp"
#include "kernel/sched/thread_state.hpp"
#include "kernel/sync/wait_queue.hpp"

class Process;       // kernel/proc
class AddressSpace;  // mm

const char* state_name(ThreadState state);

constexpr uint32_t kKernelStackPages = 2;

// Stacks come from mm (guard page below), which installs this at start-up.
struct StackSource {
    Result<VirtAddr> (*allocate)();  // the lowest address of kKernelStackPages mapped pages
    void (*release)(VirtAddr bottom);
};
void install_stack_source(const StackSource& source);

struct alignas(16) FpuState {
    uint8_t bytes[512];  // FXSAVE image; FNSAVE uses the first 108. Spec: SDM vol. 1, 10.5.1
};

class Thread : public RefCounted {
  public:
    // A kernel thread that will start in `entry(argument)` on a stack of its own, in state created
    // and the real-time class.
    static Result<Ref<Thread>> create(std::string_view name, void (*entry)(void*), void* argument);
    // The same for an object of a derived class that was made already.
    Result<void> prepare(std::string_view name, void (*entry)(void*), void* argument);
    // The thread that runs now (the boot code, on `stack_bottom`), as a Thread.
    static Ref<Thread> adopt_boot_thread(VirtAddr stack_bottom);
    ~Thread() override;

    static Thread& current() {
        Thread* thread;
        asm volatile("mov %%fs:4, %0" : "=r"(thread));
        return *thread;
    }

    // Where a trap from ring 3 leaves its TrapFrame: the top of the kernel stack.
    TrapFrame& user_frame() const {
        return *reinterpret_cast<TrapFrame*>(stack_top() - sizeof(TrapFrame));
    }
    uint32_t stack_top() const { return stack_bottom.raw() + kKernelStackPages * kPageSize; }

    // --- identity, set by the creator
    int tid = 0;  // negative: a kernel thread's; 0: idle
    char name[16] = {};
    Process* process = nullptr;  // null for kernel threads
    ListNode process_node;  // kernel/proc: the process' list of threads; else the kernel threads'

    // --- machine state, saved and loaded by switch_to()
    uint32_t saved_esp = 0;
    VirtAddr stack_bottom{0};
    bool on_boot_stack = false;
    AddressSpace* space = nullptr;  // whose regions faults are looked up in; null: kernel only
    PhysAddr page_directory{0};     // loaded into CR3 on switch; 0: keep whatever is loaded
    LocalDescriptorsSlot* local_descriptors = nullptr;  // of the same address space
    uint64_t tls[3] = {};                               // GDT descriptors of set_thread_area
    FpuState fpu{};
    struct DebugRegisters* debug_registers = nullptr;  // null: nothing is watched

    // --- scheduling (run_queue lock)
    ThreadState state = ThreadState::created;
    SchedEntity sched{};
    bool permit = false;         // unparked since the last park
    bool interruptible = false;  // its sleep, while blocked
    const char* wait_reason = "";
    Nanoseconds state_since{0};
    bool suspend_wanted = false;     // it runs, and will be suspended
    bool rest_wanted = false;        // it will be, where it returns to user mode
    bool reset_on_fork = false;      // children get the ordinary class
    uint64_t ready_time = 0;         // nanoseconds spent ready, before it ran
    uint32_t turns = 0;              // how often it got the CPU
    uint8_t fair_kind = 0;           // SCHED_OTHER, _BATCH or _IDLE, which are one class here
    bool job_waits = false;          // new, in the queue of jobs (jobs.hpp)
    uint64_t job_wait = 0;           // nanoseconds it was there
    bool submits_job = false;        // its next child process is a job ...
    uint64_t job_service = 0;        // ... of so many nanoseconds
    uint32_t last_cpu = 0;           // where it runs or is ready, or was so last
    uint32_t affinity = UINT32_MAX;  // CPUs that it may run on, as bits
    ListNode ready_node;             // with several CPUs: CpuQueue::ready

    // --- interruption of sleeps: set by kernel/proc when a signal is to be delivered (atomic)
    bool interrupt_pending = false;

    // --- accounting, in nanoseconds of CPU and counts
    uint64_t user_time = 0, kernel_time = 0, started_at = 0;
    mutable uint64_t user_told = 0, kernel_told = 0;  // by times_of(), under process_tree
    uint32_t voluntary_switches = 0, involuntary_switches = 0, minor_faults = 0, major_faults = 0;
    IoCounts io;
    uint8_t fault_result = 0;  // mm: the FaultResult of the last page fault

#ifdef ORRERY_CHECK_LOCKS
    HeldLocks held_mutexes;
#endif
};

// Sleeps until unpark(), the deadline, or (if interruptible) interrupt_pending.
Woken park(const WaitOptions& options);
void unpark(Thread& thread);
// For signals: sets interrupt_pending and wakes the thread if its sleep is interruptible.
void interrupt_thread(Thread& thread);
