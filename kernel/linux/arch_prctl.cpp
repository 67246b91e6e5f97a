// arch_prctl: what the C library asks for at its start. CPUs of this kind let programs use CPUID, and that
// cannot be changed; of shadow stacks and the like there are none. Spec: arch_prctl(2).
#include "kernel/syscall/system_call.hpp"

Result<uint32_t> sys_arch_prctl(uint32_t what, uint32_t) {
    constexpr uint32_t kGetCpuid = 0x1011, kSetCpuid = 0x1012;
    if (what == kGetCpuid) return 1u;
    return what == kSetCpuid ? Errno::nodev : Errno::inval;
}

constexpr SystemCall kArchPrctlCalls[] = {
    CALL(384, arch_prctl, sys_arch_prctl),
};
SYSTEM_CALLS(kArchPrctlCalls);
