// See fpu.hpp.
#include "kernel/arch/fpu.hpp"

#include "kernel/sched/thread.hpp"

namespace {
constinit FpuState initial{};
constinit bool has_initial = false;  // made by the boot processor
constinit bool fxsr = false;
constexpr uint32_t kMxcsrDefault = 0x1f80;  // all exceptions masked, round to nearest
}  // namespace

bool fpu_has_fxsr() { return fxsr; }

void fpu_init(bool has_fxsr, bool has_sse) {
    fxsr = has_fxsr;
    asm volatile("fninit");
    if (has_sse) asm volatile("ldmxcsr %0" ::"m"(kMxcsrDefault));
    if (has_initial) return fpu_load(initial);
    has_initial = true;
    fpu_save(initial);
    // The image must not carry what the firmware left in the vector registers.
    if (fxsr) __builtin_memset(initial.bytes + 160, 0, 512 - 160);
    fpu_load(initial);
}

void fpu_save(FpuState& state) {
    if (fxsr)
        asm volatile("fxsave %0" : "=m"(state));
    else
        asm volatile("fnsave %0\n fwait" : "=m"(state));
}

void fpu_save_to(void* image) { asm volatile("fxsave (%0)" ::"r"(image) : "memory"); }

void fpu_load(const FpuState& state) {
    if (fxsr)
        asm volatile("fxrstor %0" ::"m"(state));
    else
        asm volatile("frstor %0" ::"m"(state));
}

void fpu_reset(FpuState& state) { state = initial; }

const FpuState& initial_fpu_state() { return initial; }

void fpu_sanitise(FpuState& state) {
    if (!fxsr) return;
    // MXCSR at byte 24, its mask of valid bits at 28; a zero mask means 0xffbf.
    uint32_t mask, value;
    __builtin_memcpy(&mask, initial.bytes + 28, 4);
    __builtin_memcpy(&value, state.bytes + 24, 4);
    value &= mask ? mask : 0xffbf;
    __builtin_memcpy(state.bytes + 24, &value, 4);
}
