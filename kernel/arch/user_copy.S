// uint32_t copy_guarded(void* to, const void* from, uint32_t bytes)
// uint32_t clear_guarded(void* to, uint32_t bytes)
//   Return how many bytes were left when an address faulted for good: 0 when all went well.
// uint32_t copy_string_guarded(char* to, const char* from, uint32_t limit)
//   Copies up to a NUL; returns its length, `limit` if there is none in that many bytes, -1 on a fault.
// uint32_t exchange_guarded(uint32_t* at, uint32_t* expected, uint32_t desired)
//   CMPXCHG: *expected becomes what was seen. Not 0 after a fault.
//
// 1. Words first. A fault in them is retried byte by byte, so that the count is exact.
// 2. The window to user memory is open from before the first access until all is done, faults too.
// 3. __ex_table names the instructions that may fault and where to go on.
#include "kernel/arch/user_window.inc"

        .text
        .globl  copy_guarded, clear_guarded, copy_string_guarded, exchange_guarded
copy_guarded:
        pushl   %esi
        pushl   %edi
        movl    12(%esp), %edi
        movl    16(%esp), %esi
        movl    20(%esp), %ecx
        movl    %ecx, %edx
        shrl    $2, %ecx
        andl    $3, %edx
        ALLOW_USER_ACCESS
copy_words:
        rep movsl
        movl    %edx, %ecx
copy_bytes:
        rep movsb
copy_done:
        FORBID_USER_ACCESS
        movl    %ecx, %eax
        popl    %edi
        popl    %esi
        ret
copy_retry:
        leal    (%edx, %ecx, 4), %ecx
        jmp     copy_bytes

clear_guarded:
        pushl   %edi
        movl    8(%esp), %edi
        movl    12(%esp), %ecx
        movl    %ecx, %edx
        shrl    $2, %ecx
        andl    $3, %edx
        xorl    %eax, %eax
        ALLOW_USER_ACCESS
clear_words:
        rep stosl
        movl    %edx, %ecx
clear_bytes:
        rep stosb
clear_done:
        FORBID_USER_ACCESS
        movl    %ecx, %eax
        popl    %edi
        ret
clear_retry:
        leal    (%edx, %ecx, 4), %ecx
        jmp     clear_bytes

copy_string_guarded:
        pushl   %esi
        pushl   %edi
        movl    12(%esp), %edi
        movl    16(%esp), %esi
        movl    20(%esp), %ecx
        xorl    %edx, %edx
        ALLOW_USER_ACCESS
1:      cmpl    %ecx, %edx
        je      2f
string_load:
        movb    (%esi, %edx), %al
        movb    %al, (%edi, %edx)
        testb   %al, %al
        jz      2f
        incl    %edx
        jmp     1b
2:      movl    %edx, %eax
3:      FORBID_USER_ACCESS
        popl    %edi
        popl    %esi
        ret
string_fault:
        movl    $-1, %eax
        jmp     3b

exchange_guarded:
        pushl   %ebx
        movl    8(%esp), %edx
        movl    12(%esp), %ebx
        movl    16(%esp), %ecx
        movl    (%ebx), %eax
        ALLOW_USER_ACCESS
exchange_word:
        lock cmpxchgl %ecx, (%edx)
        FORBID_USER_ACCESS
        movl    %eax, (%ebx)
        xorl    %eax, %eax
        popl    %ebx
        ret
exchange_fault:
        FORBID_USER_ACCESS
        movl    $1, %eax
        popl    %ebx
        ret

        .pushsection __ex_table, "a"
        .long   copy_words, copy_retry, copy_bytes, copy_done
        .long   clear_words, clear_retry, clear_bytes, clear_done
        .long   string_load, string_fault, exchange_word, exchange_fault
        .popsection
        .section .note.GNU-stack, "", @progbits
