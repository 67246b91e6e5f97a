// void switch_stack(void** save, void* next): the whole context switch of user threads.
// 1. the registers that a function has to keep go on the old stack; 2. its pointer is saved;
// 3. the new stack's is loaded; 4. the registers come back from there, and so does the return
// address. Spec: System V ABI i386, "registers and the stack frame".
    .text
    .globl switch_stack
    .type switch_stack, @function
switch_stack:
    movl 4(%esp), %eax
    movl 8(%esp), %edx
    pushl %ebp
    pushl %ebx
    pushl %esi
    pushl %edi
    movl %esp, (%eax)
    movl %edx, %esp
    popl %edi
    popl %esi
    popl %ebx
    popl %ebp
    ret
    .size switch_stack, . - switch_stack
    .section .note.GNU-stack, "", @progbits
