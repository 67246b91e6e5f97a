// Where another processor starts: in real mode, at the page that the start-up IPI named. This code
// and its parameters are copied to TRAMPOLINE (processors.cpp).
//
//   1. Real mode: load the GDT below, turn protected mode on.
//   2. Turn paging on, with the directory in the parameters: the kernel's, and the first 4 MiB
//      where they are, so that the next instruction is still there.
//   3. On the stack in the parameters, call `void entry(Cpu*)`, which doesn't return.
//
// Spec: Intel SDM vol. 3A, 8.4.4 (start-up), 9.9.1 (to protected mode).
#include "kernel/arch/trampoline.hpp"

#define AT(label) (TRAMPOLINE + (label) - trampoline_start)
#define CR4_PSE 0x10
#define CR0_PE 1
#define CR0_PG_WP 0x80010000

        .section .rodata
        .globl  trampoline_start, trampoline_parameters, trampoline_end
        .align  16
        .code16
trampoline_start:
        cli                                             // 1
        cld
        xorw    %ax, %ax
        movw    %ax, %ds
        lgdtl   AT(gdt_register)
        movl    %cr0, %eax
        orl     $CR0_PE, %eax
        movl    %eax, %cr0
        ljmpl   $0x08, $AT(protected_mode)

        .code32
protected_mode:
        movl    $0x10, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        movl    %cr4, %eax                              // 2
        orl     $CR4_PSE, %eax
        movl    %eax, %cr4
        movl    AT(trampoline_parameters), %eax
        movl    %eax, %cr3
        movl    %cr0, %eax
        orl     $CR0_PG_WP, %eax
        movl    %eax, %cr0

        movl    AT(trampoline_parameters) + 4, %esp     // 3
        xorl    %ebp, %ebp
        pushl   AT(trampoline_parameters) + 8
        pushl   $0
        movl    AT(trampoline_parameters) + 12, %eax
        jmp     *%eax

        .align  8
gdt:    .quad   0, 0x00cf9a000000ffff, 0x00cf92000000ffff
gdt_register:
        .word   gdt_register - gdt - 1
        .long   AT(gdt)
        .align  4
trampoline_parameters:
        .long   0, 0, 0, 0                              // directory, stack, Cpu, entry
trampoline_end:
        .section .note.GNU-stack, "", @progbits
