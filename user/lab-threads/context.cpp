// See context.hpp.
#include "user/lab-threads/context.hpp"

#include <sys/mman.h>

namespace user_threads {

constexpr unsigned kGuardBytes = 4096;

bool make_stack(Stack& stack, void (*entry)()) {
    void* memory = mmap(nullptr, kGuardBytes + kStackBytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return false;
    mprotect(memory, kGuardBytes, PROT_NONE);
    // As switch_stack() leaves a stack: four registers, then where to go; the ABI's alignment.
    auto* top = reinterpret_cast<uint32_t*>(static_cast<char*>(memory) + kGuardBytes + kStackBytes);
    top -= 4;
    *--top = 0;  // entry's return address
    *--top = reinterpret_cast<uint32_t>(entry);
    for (int i = 0; i < 4; ++i) *--top = 0;
    stack = {memory, top};
    return true;
}

void free_stack(Stack& stack) {
    if (stack.memory) munmap(stack.memory, kGuardBytes + kStackBytes);
    stack = {};
}

}  // namespace user_threads
