// Segment descriptors as values; gates are in gate.hpp.
// Spec: Intel SDM vol. 3A, 3.4.5 (segment descriptors), 7.2.1 (TSS).
#pragma once

#include <cstdint>

enum class Granularity : uint8_t { bytes, pages };

// `type` holds S, DPL and P too, as bits 8-15 of the descriptor's upper half.
constexpr uint64_t segment_descriptor(uint32_t base, uint32_t limit, uint8_t access,
                                      Granularity granularity, bool is_32_bit = true) {
    uint64_t low = (limit & 0xffff) | (base & 0xffff) << 16;
    uint64_t high = (base >> 16 & 0xff) | static_cast<uint32_t>(access) << 8 | (limit & 0xf0000) |
                    (is_32_bit ? 1u << 22 : 0) |
                    (granularity == Granularity::pages ? 1u << 23 : 0) | (base & 0xff000000);
    return low | high << 32;
}
constexpr uint8_t kAccessCode = 0x9a, kAccessData = 0x92, kAccessLdt = 0x82, kAccessTss = 0x89,
                  kAccessUser = 0x60;
static_assert(segment_descriptor(0, 0xfffff, kAccessCode, Granularity::pages) ==
              0x00cf9a000000ffff);
static_assert(segment_descriptor(0x12345678, 0x67, kAccessTss, Granularity::bytes, false) ==
              0x1200893456780067);

struct Tss {
    uint32_t previous_task;
    uint32_t esp0, ss0, esp1, ss1, esp2, ss2;
    uint32_t cr3, eip, eflags;
    uint32_t eax, ecx, edx, ebx, esp, ebp, esi, edi;
    uint32_t es, cs, ss, ds, fs, gs, ldt;
    uint16_t trap, io_map_base;
};
static_assert(sizeof(Tss) == 104);
