// What the trap entry leaves on the kernel stack: the interrupted registers, lowest address first.
// The order is that of the pushes in trap_entry.S; user_esp and user_ss exist only for traps from
// ring 3. Spec: Intel SDM vol. 3A, 6.12.1 (stack contents after an interrupt).
#pragma once

#include <cstddef>
#include <cstdint>

struct TrapFrame {
    uint32_t gs, fs, es, ds;
    uint32_t edi, esi, ebp, ebx, edx, ecx, eax;
    uint32_t vector, error;  // error code, 0 for vectors that push none
    uint32_t eip, cs, eflags;
    uint32_t user_esp, user_ss;

    bool from_user() const { return (cs & 3) == 3; }
};
static_assert(sizeof(TrapFrame) == 18 * 4);
static_assert(offsetof(TrapFrame, vector) == 11 * 4);
