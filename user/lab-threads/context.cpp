// See context.hpp.
#include "user/lab-threads/context.hpp"

#include <sys/mman.h>

// 1. The registers that a function has to keep go on the old stack; 2. its pointer is saved; 3. the new
// stack's is loaded; 4. the registers come back from there, and so does the return address. Spec: System V ABI
// i386, "registers and the stack frame".
// Lab 4.1: stub { asm("ret"); }
__attribute__((naked)) void switch_stack(void**, void*) {
    asm("movl 4(%esp), %eax\n"
        "movl 8(%esp), %edx\n"
        "pushl %ebp\n"
        "pushl %ebx\n"
        "pushl %esi\n"
        "pushl %edi\n"
        "movl %esp, (%eax)\n"
        "movl %edx, %esp\n"
        "popl %edi\n"
        "popl %esi\n"
        "popl %ebx\n"
        "popl %ebp\n"
        "ret");
}

namespace user_threads {

constexpr unsigned kGuardBytes = 4096;

namespace {

// Makes a new stack look as switch_stack() leaves one, so that the first switch to it begins `entry`: what the
// switch takes off, in its order, and then where to return to. `top` is the stack's end, and a multiple of 16;
// at a function's first instruction the ABI wants esp + 4 to be one, and a return address at esp, which here
// nobody uses. Returns what the stack pointer is to be.
// Lab 4.1: stub { (void)entry; return top; }
uint32_t* first_frame(uint32_t* top, void (*entry)()) {
    *--top = 0;
    *--top = reinterpret_cast<uint32_t>(entry);
    for (int i = 0; i < 4; ++i) *--top = 0;
    return top;
}

}  // namespace

bool make_stack(Stack& stack, void (*entry)()) {
    void* memory = mmap(nullptr, kGuardBytes + kStackBytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return false;
    mprotect(memory, kGuardBytes, PROT_NONE);
    auto* top = reinterpret_cast<uint32_t*>(static_cast<char*>(memory) + kGuardBytes + kStackBytes);
    stack = {memory, first_frame(top, entry)};
    return true;
}

void free_stack(Stack& stack) {
    if (stack.memory) munmap(stack.memory, kGuardBytes + kStackBytes);
    stack = {};
}

}  // namespace user_threads
