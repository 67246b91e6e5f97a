// The IDT, and what happens on each vector. See traps.hpp for who does the rest.
// Spec: Intel SDM vol. 3A, chapter 6 (table 6-1: vectors; 6.13: error codes; 4.7: #PF's).
#include "kernel/arch/traps.hpp"

#include "kernel/arch/gate.hpp"
#include "kernel/arch/interrupt_counts.hpp"
#include "kernel/arch/interrupts.hpp"
#include "kernel/arch/ioapic.hpp"
#include "kernel/arch/lapic.hpp"
#include "kernel/arch/memory_layout.hpp"
#include "kernel/arch/panic.hpp"
#include "kernel/arch/pic.hpp"
#include "kernel/lib/log.hpp"
#include "kernel/sched/scheduler.hpp"
#include "kernel/sync/spin_lock.hpp"
#include "kernel/trace/trace.hpp"

constinit TrapHooks trap_hooks{};

extern "C" {
extern const uint32_t trap_vectors[256];
void system_call_vector();
void pop_fs(), go_out();  // in trap_entry.S: after %gs was loaded; IRET
struct ExceptionTableEntry {
    uint32_t instruction, fixup;
};
extern const ExceptionTableEntry __ex_table_start[], __ex_table_end[];
}

namespace {

constexpr uint32_t kVectorDebug = 1, kVectorNmi = 2, kVectorDoubleFault = 8, kVectorProtection = 13,
                   kVectorPageFault = 14;
// Error code of #PF.
constexpr uint32_t kFaultPresent = 1, kFaultWrite = 2, kFaultUser = 4;

constinit uint64_t idt[256] = {};

// --- interrupts from devices

constinit IrqSpinLock table_lock{LockRank::interrupt_table};
constinit Atomic<InterruptHandler*> handlers[kIrqLines] = {};
using LocalHandler = void (*)();
constinit LocalHandler local_handlers[kLocalVectors] = {};

static_assert(std::size(Cpu{}.interrupts) == kIrqLines + kLocalVectors);

void device_interrupt(uint32_t line) {
    if (!lapic_in_use() && pic_is_spurious(line)) return;
    count_interrupt(line);
    trace<TraceType::interrupt_event>(line);
    uint32_t context = lock_check_enter_interrupt();
    // Handlers are only ever added, at the front, so the walk needs no lock.
    for (InterruptHandler* h = handlers[line]; h; h = h->next) h->handle(h->context);
    lock_check_leave_interrupt(context);
    trace<TraceType::interrupt_done_event>(line);
    if (lapic_in_use())
        lapic_end_of_interrupt();
    else
        pic_end_of_interrupt(line);
}

void local_interrupt(uint32_t which) {
    const uint32_t number = kIrqLines + which;
    count_interrupt(number);
    trace<TraceType::interrupt_event>(number);
    uint32_t context = lock_check_enter_interrupt();
    local_handlers[which]();
    lock_check_leave_interrupt(context);
    trace<TraceType::interrupt_done_event>(number);
    lapic_end_of_interrupt();
}

void interrupt(uint32_t vector, bool from_user) {
    this_cpu().interrupted_user = from_user;
    if (vector < kFirstIrqVector + kIrqLines)
        device_interrupt(vector - kFirstIrqVector);
    else if (vector - kFirstLocalVector < kLocalVectors)
        local_interrupt(vector - kFirstLocalVector);
    else if (vector != kVectorSpurious)
        log_warning("unexpected interrupt vector 0x{:x}", vector);
}

// --- exceptions

const ExceptionTableEntry* find_fixup(const TrapFrame& frame) {
    for (const auto* entry = __ex_table_start; entry < __ex_table_end; ++entry)
        if (entry->instruction == frame.eip) return entry;
    return nullptr;
}

// Something that the thread watches was touched, by itself or by the kernel for it.
void note_watched() {
    DebugRegisters* watched = Thread::current().debug_registers;
    const uint32_t status = take_debug_status();
    if (watched) watched->status |= status;
}

bool apply_fixup(TrapFrame& frame) {
    const ExceptionTableEntry* entry = find_fixup(frame);
    if (entry) frame.eip = entry->fixup;
    return entry;
}

void non_maskable_interrupt() {
    if (panic_elsewhere()) stop_for_panic();
    log_warning("non-maskable interrupt");
}

void kernel_exception(TrapFrame& frame) {
    if (frame.vector == kVectorPageFault) {
        VirtAddr address(read_cr2());
        // Only code that says so may touch user memory, and only that is paged.
        if (address < kUserTop && (frame.eflags & kFlagInterrupts) && trap_hooks.page_fault &&
            find_fixup(frame)) {
            enable_interrupts();
            bool resolved = trap_hooks.page_fault(address, frame.error & kFaultWrite, false,
                                                  frame.error & kFaultPresent);
            disable_interrupts();
            if (resolved) return;
        }
        if (apply_fixup(frame)) return;
        char text[96];
        panic_with_frame(frame,
                         format_in(text, "page fault in the kernel: {} of {:08x} ({})",
                                   frame.error & kFaultWrite ? "write" : "read", address,
                                   frame.error & kFaultPresent ? "protection" : "not present"));
    }
    if (frame.vector == kVectorNmi) return non_maskable_interrupt();
    if (frame.vector == kVectorDebug && Thread::current().debug_registers) return note_watched();
    const uint32_t at = frame.eip, out = reinterpret_cast<uint32_t>(go_out);
    if (at == out) this_cpu().bad_return = {frame.vector, frame.error};
    if (apply_fixup(frame)) {
        // A %gs that is still loaded from before may be invalid by now: popping it from this frame
        // would fault again. One that was just popped is good, and the program's.
        if (at < reinterpret_cast<uint32_t>(pop_fs) || at > out) frame.gs = 0;
        return;
    }
    panic_with_frame(frame, "exception in the kernel");
}

// The CPU itself met a page of the program's where SMAP expects the kernel's. A CPU does so for
// descriptors only, and ours lie in the kernel; QEMU 7.2 also for the stack of a program's far
// call. Another attempt would end the same way.
bool refused_by_smap(const TrapFrame& frame) {
    return (frame.error & (kFaultPresent | kFaultUser)) == kFaultPresent && read_cr4() & kCr4Smap;
}

void user_exception(TrapFrame& frame) {
    VirtAddr address(frame.eip);
    if (frame.vector == kVectorPageFault) {
        address = VirtAddr(read_cr2());
        enable_interrupts();
        if (!refused_by_smap(frame) && trap_hooks.page_fault &&
            trap_hooks.page_fault(address, frame.error & kFaultWrite, true,
                                  frame.error & kFaultPresent))
            return;
    } else if (frame.vector == kVectorNmi) {
        return non_maskable_interrupt();
    } else if (frame.vector == kVectorProtection && this_cpu().bad_return.vector) {
        const auto failed = std::exchange(this_cpu().bad_return, {});
        frame.vector = failed.vector;
        frame.error = failed.error;
    }
    if (frame.vector == kVectorDebug) note_watched();
    enable_interrupts();
    if (frame.vector == kVectorDebug && trap_hooks.single_step && trap_hooks.single_step()) return;
    if (!trap_hooks.user_exception) panic_with_frame(frame, "exception in user mode");
    trap_hooks.user_exception(frame, address);
}

// Interrupts are off on return, and nothing is left to do before the program goes on.
inline void prepare_user_return(TrapFrame& frame) {
    for (;;) {
        disable_interrupts();
        Cpu& cpu = this_cpu();
        if (!cpu.reschedule && !cpu.current->interrupt_pending) [[likely]]
            return;
        enable_interrupts();
        reschedule_if_wanted();
        if (Thread::current().interrupt_pending) trap_hooks.before_user_return(frame);
    }
}

}  // namespace

// A page fault has an event of its own, with its cause and result.
static void note_exception(const TrapFrame& frame) {
    count_exception(frame.vector);
    if (frame.vector != kVectorPageFault)
        trace<TraceType::exception_event>(frame.vector, frame.eip, frame.error);
}

extern "C" void trap_from_kernel(TrapFrame& frame) {
    if (frame.vector >= 32) return interrupt(frame.vector, false);
    note_exception(frame);
    kernel_exception(frame);
}

extern "C" void trap_from_user(TrapFrame& frame) {
    if (frame.vector < 32) {
        note_exception(frame);
        user_exception(frame);
    } else {
        interrupt(frame.vector, true);
    }
    prepare_user_return(frame);
}

extern "C" void system_call_entry(TrapFrame& frame) {
    enable_interrupts();  // after iopl() a program may call with them off
    trap_hooks.system_call(frame);
    prepare_user_return(frame);
}

Result<void> attach_interrupt(uint32_t line, InterruptHandler& handler) {
    if (line >= kIrqLines) return Errno::inval;
    LockGuard guard(table_lock);
    handler.next = handlers[line];
    handlers[line].store(&handler);
    if (lapic_in_use())
        ioapic_unmask(line, lapic_id());
    else
        pic_unmask(line);
    return {};
}

void set_local_handler(uint32_t vector, void (*handle)()) {
    local_handlers[vector - kFirstLocalVector] = handle;
}

bool interrupted_user_mode() { return this_cpu().interrupted_user; }
const InterruptHandler* interrupt_handlers(uint32_t line) {
    return line < kIrqLines ? handlers[line].load() : nullptr;
}

const char* interrupt_name(uint32_t number) {
    if (number >= kIrqLines)
        return number - kIrqLines < kLocalVectors ? kLocalInterrupts[number - kIrqLines].name
                                                  : nullptr;
    const InterruptHandler* handler = handlers[number].load();
    return handler ? handler->name : nullptr;
}

void traps_init() {
    for (uint32_t vector = 0; vector < 256; ++vector)
        idt[vector] = gate_descriptor(GateType::interrupt, gate_privilege(vector),
                                      SELECTOR_KERNEL_CODE, trap_vectors[vector]);
    // A trap gate: system calls run with interrupts on.
    idt[kVectorSystemCall] =
        gate_descriptor(GateType::trap, gate_privilege(kVectorSystemCall), SELECTOR_KERNEL_CODE,
                        reinterpret_cast<uint32_t>(system_call_vector));
    idt[kVectorDoubleFault] = gate_descriptor(GateType::task, 0, SELECTOR_DOUBLE_FAULT_TSS, 0);
    traps_init_cpu();
    pic_init();
}

void traps_init_cpu() {
    struct [[gnu::packed]] {
        uint16_t limit;
        uint32_t base;
    } idtr{sizeof idt - 1, reinterpret_cast<uint32_t>(idt)};
    asm volatile("lidt %0" ::"m"(idtr));
}
