// What both libraries of user threads are made of: a stack of its own with a body to run on it, and
// the switch from one stack to another.
#pragma once

#include <cstdint>

// The whole context switch of user threads: leaves this stack, whose pointer goes to *save, and returns on the
// stack `next`, to where that one was left.
void switch_stack(void** save, void* next);

namespace user_threads {

constexpr unsigned kStackBytes = 64 * 1024;

using Body = void (*)(void* argument);

struct Stack {
    void* memory = nullptr;   // with an unmapped page below it
    void* pointer = nullptr;  // while it doesn't run
};
// A stack on which `entry` will begin; false without memory. `entry` must never return.
bool make_stack(Stack& stack, void (*entry)());
void free_stack(Stack& stack);

}  // namespace user_threads
