// See double_fault.hpp. The interrupted state is in the CPU's main TSS, where the task switch
// left it.
#include "kernel/arch/double_fault.hpp"

#include "kernel/arch/cpu.hpp"
#include "kernel/arch/panic.hpp"
#include "kernel/arch/trap_frame.hpp"

namespace {

alignas(16) constinit uint8_t boot_stack[kDoubleFaultStackBytes] = {};

[[noreturn]] void double_fault_entry() {
    // The task switch set CR0.TS and loaded no %fs base of ours but the selector: still valid.
    const Tss& was = this_cpu().tss;
    TrapFrame frame{};
    frame.gs = was.gs, frame.fs = was.fs, frame.es = was.es, frame.ds = was.ds;
    frame.edi = was.edi, frame.esi = was.esi, frame.ebp = was.ebp, frame.ebx = was.ebx;
    frame.edx = was.edx, frame.ecx = was.ecx, frame.eax = was.eax;
    frame.vector = 8;
    frame.eip = was.eip, frame.cs = was.cs, frame.eflags = was.eflags;
    frame.user_esp = was.esp, frame.user_ss = was.ss;
    panic_with_frame(frame, "double fault: the kernel could not deliver an exception");
}

}  // namespace

uint64_t double_fault_task(Cpu& cpu) {
    Tss& task = cpu.double_fault;
    if (!cpu.double_fault_stack) cpu.double_fault_stack = boot_stack;
    task.esp = task.esp0 =
        reinterpret_cast<uint32_t>(cpu.double_fault_stack + kDoubleFaultStackBytes - 16);
    task.ss = task.ss0 = task.ds = task.es = SELECTOR_KERNEL_DATA;
    task.cs = SELECTOR_KERNEL_CODE;
    task.fs = SELECTOR_CPU;
    task.eip = reinterpret_cast<uint32_t>(double_fault_entry);
    task.eflags = 2;
    task.cr3 = read_cr3();
    task.io_map_base = sizeof(Tss);
    return segment_descriptor(reinterpret_cast<uint32_t>(&task), sizeof(Tss) - 1, kAccessTss,
                              Granularity::bytes, false);
}

void double_fault_use_directory(uint32_t cr3) { this_cpu().double_fault.cr3 = cr3; }
