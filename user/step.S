// The shortest path from an instruction to the kernel and back: no libc, two system calls.
// Break at _start and step by instructions: each `int $0x80` leads into the kernel's trap entry and
// returns to the next line with the result in %eax.
// Spec: Linux i386 calls: number in %eax, arguments in %ebx %ecx %edx; result or -errno in %eax.
        .set    kSysExit, 1
        .set    kSysWrite, 4
        .set    kStandardOutput, 1

        .section .rodata
message:
        .ascii  "one instruction at a time\n"
        .set    kMessageBytes, . - message

        .text
        .globl  _start
        .type   _start, @function
_start:
        movl    $kSysWrite, %eax
        movl    $kStandardOutput, %ebx
        movl    $message, %ecx
        movl    $kMessageBytes, %edx
        int     $0x80                   # %eax: bytes written, or -errno

        xorl    %ebx, %ebx              # exit status: 0 if all was written
        cmpl    $kMessageBytes, %eax
        setne   %bl
        movl    $kSysExit, %eax
        int     $0x80                   # does not return
        .size   _start, . - _start

        .section .note.GNU-stack, "", @progbits
