// void switch_context(uint32_t* save_esp, uint32_t next_esp)
//
// 1. Push what the calling convention makes the callee keep.
// 2. Leave the stack pointer where the scheduler finds it, take the other thread's.
// 3. Pop its registers and return to where it called from (or to thread_trampoline the first time).
        .text
        .globl  switch_context, thread_trampoline
        .cfi_sections .debug_frame
switch_context:
        movl    4(%esp), %eax
        movl    8(%esp), %edx
        pushl   %ebp
        pushl   %ebx
        pushl   %esi
        pushl   %edi
        movl    %esp, (%eax)
        movl    %edx, %esp
        popl    %edi
        popl    %esi
        popl    %ebx
        popl    %ebp
        ret

// A new thread: %ebx is its entry, %esi its argument. %ebp is 0, which ends every backtrace.
thread_trampoline:
        call    thread_started
        pushl   %esi
        call    *%ebx
        call    exit_thread_from_trampoline
        ud2
        .section .note.GNU-stack, "", @progbits
