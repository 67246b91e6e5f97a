// Entry and exit of every trap: interrupts, exceptions, system calls.
//
// 1. The CPU has switched to the thread's kernel stack (from ring 3) and pushed ss esp eflags cs eip.
// 2. The vector's stub pushes an error code if the CPU didn't, and the vector's number.
// 3. The registers are pushed in TrapFrame's order; data segments become the kernel's, %fs the CPU's.
// 4. %ebp points at the frame: the call-frame information below hangs on it, so that a debugger
//    unwinds from any kernel function into the interrupted code, and panic's walker too.
// 5. C++ gets a reference to the frame; when it returns, the frame is popped and IRET resumes.
//
// Prototypes: extern "C" void trap_from_user(TrapFrame&), trap_from_kernel(TrapFrame&),
// system_call_entry(TrapFrame&); [[noreturn]] void enter_user(TrapFrame&);
#include "kernel/arch/selectors.hpp"
#include "kernel/arch/user_window.inc"

        .cfi_sections .debug_frame
        .text
        .globl  trap_entry_start, trap_entry_end, system_call_vector, enter_user, pop_fs, go_out
trap_entry_start:

.macro SAVE_REGISTERS
        pushl   %eax
        pushl   %ecx
        pushl   %edx
        pushl   %ebx
        pushl   %ebp
        pushl   %esi
        pushl   %edi
        pushl   %ds
        pushl   %es
        pushl   %fs
        pushl   %gs
        movl    $SELECTOR_KERNEL_DATA, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    $SELECTOR_CPU, %eax
        movl    %eax, %fs
        cld
        FORBID_USER_ACCESS      // the program's EFLAGS.AC, or a window that was interrupted
        movl    %esp, %ebp
.endm

// Where the caller's registers are, as DWARF expressions on %ebp (DW_OP_breg5 = 0x75).
// Offsets of 64 and more take a second LEB128 byte.
.macro CFI_REGISTER number, offset
        .cfi_escape 0x10, \number, 2, 0x75, \offset
.endm
.macro CFI_FRAME
        CFI_REGISTER 0, 40
        CFI_REGISTER 1, 36
        CFI_REGISTER 2, 32
        CFI_REGISTER 3, 28
        CFI_REGISTER 5, 24
        CFI_REGISTER 6, 20
        CFI_REGISTER 7, 16
        CFI_REGISTER 8, 52
.endm

        .align  16
trap_common:
        SAVE_REGISTERS
        testl   $3, 56(%ebp)
        jz      from_kernel

        .cfi_startproc simple
        .cfi_signal_frame
        .cfi_escape 0x0f, 4, 0x75, 0xc0, 0x00, 0x06     // CFA = *(ebp + 64): the user's esp
        CFI_FRAME
        pushl   %ebp
        call    trap_from_user
        nop
        .cfi_endproc
        addl    $4, %esp
        jmp     restore

from_kernel:
        .cfi_startproc simple
        .cfi_signal_frame
        .cfi_escape 0x0f, 3, 0x75, 0xc0, 0x00           // CFA = ebp + 64: nothing beyond eflags
        CFI_FRAME
        pushl   %ebp
        call    trap_from_kernel
        nop
        .cfi_endproc
        addl    $4, %esp
        jmp     restore

// int 0x80. The error slot keeps the call's number for a restart.
        .align  16
system_call_vector:
        pushl   %eax
        pushl   $0x80
        SAVE_REGISTERS
        .cfi_startproc simple
        .cfi_signal_frame
        .cfi_escape 0x0f, 4, 0x75, 0xc0, 0x00, 0x06
        CFI_FRAME
        pushl   %ebp
        call    system_call_entry
        nop
        .cfi_endproc
        addl    $4, %esp

restore:
pop_gs: popl    %gs
pop_fs: popl    %fs
pop_es: popl    %es
pop_ds: popl    %ds
        popl    %edi
        popl    %esi
        popl    %ebp
        popl    %ebx
        popl    %edx
        popl    %ecx
        popl    %eax
        addl    $8, %esp
go_out: iret

enter_user:
        movl    4(%esp), %esp
        jmp     restore

// A program may leave a selector that is no longer valid: it gets the null one.
fix_gs: movl    $0, (%esp)
        jmp     pop_gs
fix_fs: movl    $0, (%esp)
        jmp     pop_fs
fix_es: movl    $0, (%esp)
        jmp     pop_es
fix_ds: movl    $0, (%esp)
        jmp     pop_ds
// IRET refused the program's %cs or %ss: the program gets the exception, as if it had come from
// there. traps.cpp noted vector and error.
fix_go: pushl   $0
        pushl   $13
        jmp     trap_common
        .pushsection __ex_table, "a"
        .long   pop_gs, fix_gs, pop_fs, fix_fs, pop_es, fix_es, pop_ds, fix_ds
        .long   go_out, fix_go
        .popsection
trap_entry_end:

// The stubs of all 256 vectors, and their addresses for the IDT.
        .balign 16
vector_stubs:
        .pushsection .rodata
        .globl  trap_vectors
        .align  4
trap_vectors:
        .popsection
        .set    vector, 0
        .rept   256
        .pushsection .rodata
        .long   1f
        .popsection
1:
        .if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30)
        pushl   $0
        .endif
        pushl   $vector
        jmp     trap_common
        .set    vector, vector + 1
        .endr
        .section .note.GNU-stack, "", @progbits
