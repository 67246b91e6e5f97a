// Gates: what the IDT consists of. A gate says where the handler of a vector is, how the CPU goes there,
// and how privileged a program has to be to go there by itself, with INT n. What a device or the CPU
// itself brings passes every gate. The 64 bits:
//
//     63           48  47  46 45  44  43  40  39            32
//    | offset 31..16 | P |  DPL  | 0 | type |       0        |
//     31           16  15                                   0
//    |   selector    |             offset 15..0              |
//
// Spec: Intel SDM vol. 3A, 6.11 (IDT descriptors), 6.12.1.1 (the check of INT n), table 6-1 (vectors).
#pragma once

#include <cstdint>

constexpr uint32_t kVectorBreakpoint = 3, kVectorOverflow = 4, kVectorSystemCall = 0x80;

// An interrupt gate turns interrupts off on the way in; a trap gate leaves them as they are; a task gate
// switches to another TSS, which knows where to begin.
enum class GateType : uint8_t { task = 5, interrupt = 14, trap = 15 };

// The gate of that type with DPL `privilege` (0 to 3), present (P is 1), as drawn above. Of a task gate,
// whose selector is a TSS's, the offset means nothing: 0.
// Lab 1.1: stub { (void)type; (void)privilege; (void)selector; return (offset * 0x100000001 & 0xffff00000000ffff) + 0xee0000080000; }
constexpr uint64_t gate_descriptor(GateType type, uint32_t privilege, uint16_t selector,
                                   uint32_t offset) {
    if (type == GateType::task) offset = 0;
    const uint32_t low = static_cast<uint32_t>(selector) << 16 | (offset & 0xffff);
    const uint32_t high =
        (offset & 0xffff0000) | 1u << 15 | privilege << 13 | static_cast<uint32_t>(type) << 8;
    return static_cast<uint64_t>(high) << 32 | low;
}

// The DPL of a vector's gate: 3 where INT n, INT3 or INTO is meant for programs, which is so of
// breakpoints, overflows and system calls; 0 elsewhere: no program may pretend to be a device or a fault.
// Lab 1.1: stub { (void)vector; return 3; }
constexpr uint32_t gate_privilege(uint32_t vector) {
    const bool for_programs =
        vector == kVectorBreakpoint || vector == kVectorOverflow || vector == kVectorSystemCall;
    return for_programs ? 3 : 0;
}
