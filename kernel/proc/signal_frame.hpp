// What a signal handler finds on its stack, and sigreturn takes back. Pure layout.
// Spec: Linux i386 asm/sigcontext.h, asm/ucontext.h; System V i386 ABI for the stack's alignment.
#pragma once

#include "kernel/proc/signal.hpp"

struct SignalContext {  // struct sigcontext
    uint32_t gs, fs, es, ds;
    uint32_t edi, esi, ebp, esp, ebx, edx, ecx, eax;
    uint32_t vector, error;
    uint32_t eip, cs, eflags, esp_at_signal, ss;
    uint32_t fpu;  // user address of FpuFrame
    uint32_t old_mask;
    uint32_t fault_address;
};
static_assert(sizeof(SignalContext) == 88);

struct alignas(16) FpuFrame {  // struct _fpstate; FXSAVE wants the alignment
    uint32_t control, status, tag, ip_offset, cs_selector, data_offset, data_selector;
    uint8_t registers[80];
    uint16_t status_word, magic;  // magic 0: the FXSAVE image follows; 0xffff: it doesn't
    uint8_t fxsave[512];
};
static_assert(sizeof(FpuFrame) == 624 && offsetof(FpuFrame, fxsave) == 112);

// What FXSAVE writes outside 64-bit mode: up to XMM7. Spec: SDM vol. 1, table 10-2.
constexpr uint32_t kFxsaveUsed = 288;

struct SignalFrame {  // without SA_SIGINFO
    uint32_t return_address;
    int32_t number;
    SignalContext context;
    uint32_t mask_high;
    uint8_t trampoline[8];
};

struct SignalInfoFrame {  // with SA_SIGINFO
    uint32_t return_address;
    int32_t number;
    uint32_t info_address, context_address;
    SignalInfo info;
    struct {  // struct ucontext
        uint32_t flags, link;
        AlternateStack stack;
        SignalContext context;
        uint32_t mask_low, mask_high;
    } ucontext;
    uint8_t trampoline[8];
};
static_assert(offsetof(SignalInfoFrame, ucontext.context) == 16 + 128 + 20);
