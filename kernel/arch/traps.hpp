// Traps that other rooms handle: arch decodes vector and error code, and calls what the
// rooms above installed.
#pragma once

#include "kernel/arch/trap_frame.hpp"
#include "kernel/lib/types.hpp"

struct TrapHooks {
    // Page fault, interrupts on. True: resolved, retry the instruction. Called for faults in user
    // mode, and for kernel faults on user addresses. Installed by mm.
    bool (*page_fault)(VirtAddr address, bool write, bool user, bool present) = nullptr;
    // A program was single-stepped. True: it was the kernel's doing. Installed by mm.
    bool (*single_step)() = nullptr;
    // An exception that a program caused and nobody resolved: it gets a signal. Installed by proc.
    void (*user_exception)(TrapFrame& frame, VirtAddr fault_address) = nullptr;
    // int 0x80. Installed by syscall.
    void (*system_call)(TrapFrame& frame) = nullptr;
    // Called before returning to user mode when work_pending(thread): signals. Installed by proc.
    void (*before_user_return)(TrapFrame& frame) = nullptr;
};
extern TrapHooks trap_hooks;

const char* exception_name(uint32_t vector);  // "#PF page fault"
void traps_init();
void traps_init_cpu();  // the other CPUs use the same table
