// Making and unmaking threads. See thread.hpp.
#include "kernel/sched/thread.hpp"

#include "kernel/arch/cpu.hpp"
#include "kernel/arch/fpu.hpp"
#include "kernel/trace/trace.hpp"

extern "C" void thread_trampoline();

namespace {
constinit StackSource stacks{};
constinit Atomic<int> last_kernel_thread = 0;
constinit IrqSpinLock kernel_threads_lock{LockRank::kernel_threads};
// For the debugger alone.
constinit List<Thread, &Thread::process_node> kernel_threads GUARDED_BY(kernel_threads_lock);
}  // namespace

void install_stack_source(const StackSource& source) { stacks = source; }

Result<Ref<Thread>> Thread::create(std::string_view name, void (*entry)(void*), void* argument) {
    Ref<Thread> thread = TRY(make_ref<Thread>());
    TRY(thread->prepare(name, entry, argument));
    thread->tid = last_kernel_thread.subtract(1);
    // Whatever policy is at work among programs, the kernel's own work gets done; lowest priority.
    thread->sched.sched_class = SchedClass::fifo;
    trace_name(thread->tid, name);
    LockGuard guard(kernel_threads_lock);
    kernel_threads.push_back(*thread);
    return thread;
}

Result<void> Thread::prepare(std::string_view new_name, void (*entry)(void*), void* argument) {
    stack_bottom = TRY(stacks.allocate());
    new_name.copy(name, sizeof name - 1);
    fpu_reset(fpu);
    // What switch_context pops: edi, esi, ebx, ebp, and where it returns to. It lies below the
    // place of the user's trap frame.
    auto* stack = reinterpret_cast<uint32_t*>(stack_top() - sizeof(TrapFrame));
    *--stack = 0;
    *--stack = reinterpret_cast<uint32_t>(thread_trampoline);
    *--stack = 0;
    *--stack = reinterpret_cast<uint32_t>(entry);
    *--stack = reinterpret_cast<uint32_t>(argument);
    *--stack = 0;
    saved_esp = reinterpret_cast<uint32_t>(stack);
    return {};
}

Ref<Thread> Thread::adopt_boot_thread(VirtAddr stack_bottom) {
    Ref<Thread> thread = make_ref<Thread>().release_value();
    thread->stack_bottom = stack_bottom;
    thread->on_boot_stack = true;
    __builtin_memcpy(thread->name, "idle", 5);
    return thread;
}

Thread::~Thread() {
    if (stack_bottom.raw() && !on_boot_stack) stacks.release(stack_bottom);
    LockGuard guard(kernel_threads_lock);
    if (process_node.linked()) process_node.unlink();  // a process unlinks its own before
}
