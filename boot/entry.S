// From the loader to C++: `[[noreturn]] void kernel_main(uint32_t magic, uint32_t information)`.
// Entered in 32-bit protected mode without paging, EAX = the protocol's magic, EBX = the physical
// address of its information; segments are flat, the stack and the GDT register are undefined.
//
//   0. Stop with a message if the processor is too old (require_cpu.S).
//   1. Fill a provisional page directory of 4 MiB pages: the first 16 MiB where they are, so that
//      the next instruction after turning paging on is still there; and the first 768 MiB of
//      physical memory at KERNEL_BASE, all writable. mm/ builds the real one.
//   2. Turn paging on, with write protection in supervisor mode too (CR0.WP).
//   3. Jump to the upper half.
//   4. Take the boot stack, end the chain of frame pointers, call kernel_main.
//
// Spec: Multiboot2 3.3, Multiboot 0.6.96 3.2 (machine state); SDM volume 3, 4.3 (32-bit paging).

#define KERNEL_BASE 0xC0000000
#define BIG_PAGE_SHIFT 22
#define IDENTITY_PAGES (16 >> 2)
#define DIRECT_PAGES (768 >> 2)
#define PDE_PRESENT_WRITABLE_BIG 0x83
#define CR4_PSE 0x10
#define CR0_PG_WP 0x80010000
#define STACK_BYTES 16384

    .section .boot.text, "ax", @progbits
    .global kernel_entry
    .type kernel_entry, @function
kernel_entry:
    cli
    cld
    mov %eax, %esi                              // the magic; what follows uses the others

    mov $(boot_stack_top - KERNEL_BASE), %esp               // 0
    call require_cpu

    mov $(boot_page_directory - KERNEL_BASE), %edi          // 1
    mov $PDE_PRESENT_WRITABLE_BIG, %eax
    xor %ecx, %ecx
1:  cmp $IDENTITY_PAGES, %ecx
    jae 2f
    mov %eax, (%edi,%ecx,4)
2:  mov %eax, (KERNEL_BASE >> BIG_PAGE_SHIFT) * 4(%edi,%ecx,4)
    add $(1 << BIG_PAGE_SHIFT), %eax
    inc %ecx
    cmp $DIRECT_PAGES, %ecx
    jb 1b

    mov %edi, %cr3                                          // 2
    mov %cr4, %eax
    or $CR4_PSE, %eax
    mov %eax, %cr4
    mov %cr0, %eax
    or $CR0_PG_WP, %eax
    mov %eax, %cr0

    mov $enter_upper_half, %eax                             // 3
    jmp *%eax
    .size kernel_entry, . - kernel_entry

    .section .init.text, "ax", @progbits
    .type enter_upper_half, @function
enter_upper_half:
    mov $boot_stack_top, %esp                               // 4
    xor %ebp, %ebp
    push %ebp                                   // keeps the call's stack aligned by 16
    push %ebp
    push %ebx
    push %esi
    call kernel_main
    ud2
    .size enter_upper_half, . - enter_upper_half

    .section .init.data, "aw", @progbits
    .align 4096
    .global boot_page_directory
    .type boot_page_directory, @object
boot_page_directory:
    .fill 1024, 4, 0
    .size boot_page_directory, . - boot_page_directory

    .section .bss.boot_stack, "aw", @nobits
    .align 4096
    .global boot_stack_bottom, boot_stack_top
    .type boot_stack_bottom, @object
boot_stack_bottom:
    .skip STACK_BYTES
    .size boot_stack_bottom, . - boot_stack_bottom
boot_stack_top:

    .section .note.GNU-stack, "", @progbits
