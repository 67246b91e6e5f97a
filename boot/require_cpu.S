// `void require_cpu()`: called by entry.S before paging is on; keeps EBX and ESI.
// Without CPUID, big pages, the time-stamp counter, CMPXCHG8B or CMOV (486, Pentium) it says so on the
// first serial port and the screen, and stops. CPUID is believed, not a try: QEMU's 486 executes
// what its CPUID denies.
//
//   1. A bit of EFLAGS that can be changed (ID) tells that there is CPUID.
//   2. CPUID's feature bits.
//   3. The message, a byte at a time to both.
//
// Spec: SDM volume 2, CPUID; volume 1, 20.1 (identifying earlier processors).

#define EFLAGS_ID 0x200000
#define CPUID_NEEDED 0x8118                         // PSE 3, TSC 4, CX8 8, CMOV 15
#define COM1 0x3f8
#define SCREEN 0xb8000
#define WHITE_ON_RED 0x4f00

    .section .boot.text, "ax", @progbits
    .global require_cpu
    .type require_cpu, @function
require_cpu:
    push %ebx
    pushfl                                                  // 1
    pop %eax
    mov %eax, %ecx
    xor $EFLAGS_ID, %eax
    push %eax
    popfl
    pushfl
    pop %eax
    cmp %eax, %ecx
    je too_old
    mov $1, %eax                                            // 2
    cpuid
    and $CPUID_NEEDED, %edx
    cmp $CPUID_NEEDED, %edx
    jne too_old
    pop %ebx
    ret

too_old:
    mov $too_old_text, %esi                                 // 3
    mov $SCREEN, %edi
    mov $COM1, %edx
    mov $WHITE_ON_RED, %eax
1:  lodsb
    test %al, %al
    jz 2f
    out %al, %dx
    stosw
    jmp 1b
2:  hlt
    jmp 2b
too_old_text:
    .asciz "Orrery needs a Pentium Pro or newer (CMOV); in QEMU, leave -cpu out or take -cpu pentium2.\r\n"
    .size require_cpu, . - require_cpu

    .section .note.GNU-stack, "", @progbits
