// The processor's own names of its exceptions (Intel SDM vol. 3A, table 6-1), and Linux's of the local
// APIC's interrupts (Documentation/filesystems/proc.rst).
#include <array>

#include "kernel/arch/interrupts.hpp"
#include "kernel/arch/lapic.hpp"
#include "kernel/arch/traps.hpp"

namespace {
constexpr const char* kExceptionNames[32] = {"#DE divide error",
                                             "#DB debug",
                                             "NMI",
                                             "#BP breakpoint",
                                             "#OF overflow",
                                             "#BR bound range",
                                             "#UD invalid opcode",
                                             "#NM no coprocessor",
                                             "#DF double fault",
                                             "coprocessor overrun",
                                             "#TS invalid TSS",
                                             "#NP segment not present",
                                             "#SS stack fault",
                                             "#GP general protection",
                                             "#PF page fault",
                                             "reserved 15",
                                             "#MF x87 error",
                                             "#AC alignment check",
                                             "#MC machine check",
                                             "#XM SIMD error",
                                             "#VE virtualisation",
                                             "#CP control protection",
                                             "reserved 22",
                                             "reserved 23",
                                             "reserved 24",
                                             "reserved 25",
                                             "reserved 26",
                                             "reserved 27",
                                             "#HV hypervisor",
                                             "#VC VMM",
                                             "#SX security",
                                             "reserved 31"};
}  // namespace

const char* exception_name(uint32_t vector) {
    if (vector < 32) return kExceptionNames[vector];
    if (vector == 0x80) return "system call";
    return vector < kFirstLocalVector + kLocalVectors ? "interrupt" : "unexpected vector";
}

constexpr LocalInterrupt kLocalInterrupts[] = {
    {"LOC", "timer", "Local timer interrupts"},
    {"RES", "reschedule", "Rescheduling interrupts"},
    {"TLB", "tlb shoot-down", "TLB shootdowns"},
};
static_assert(std::size(kLocalInterrupts) == kLocalVectors);
