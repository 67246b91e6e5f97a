// Exceptions of user mode become signals for the thread that caused them.
// Spec: SDM vol. 3A chapter 6; siginfo's codes in sigaction(2).
#include "kernel/arch/traps.hpp"
#include "kernel/lib/log.hpp"
#include "kernel/proc/out_of_memory.hpp"
#include "kernel/proc/process_table.hpp"

namespace {

// Which unmasked floating-point exception it was, from the status bits: invalid, denormal, divide
// by zero, overflow, underflow, precision. Spec: SDM vol. 1, 8.1.3 and 10.2.3; FPE_* codes.
uint32_t x87_exceptions() {
    uint16_t status, control;
    asm volatile("fnstsw %0; fnstcw %1" : "=m"(status), "=m"(control));
    return status & ~control & 0x3f;
}
uint32_t sse_exceptions() {
    uint32_t mxcsr;
    asm volatile("stmxcsr %0" : "=m"(mxcsr));
    return mxcsr & ~(mxcsr >> 7) & 0x3f;
}
int float_code(uint32_t exceptions) {
    if (exceptions & 1) return 7;    // FPE_FLTINV
    if (exceptions & 4) return 3;    // FPE_FLTDIV
    if (exceptions & 8) return 4;    // FPE_FLTOVF
    if (exceptions & 18) return 5;   // FPE_FLTUND
    return exceptions & 32 ? 6 : 0;  // FPE_FLTRES
}

struct ExceptionSignal {
    int number, code;
};
// Spec: SDM vol. 3A table 6-1; siginfo codes as Linux i386 gives them.
ExceptionSignal exception_signal(const TrapFrame& frame) {
    switch (frame.vector) {
        case 0: return {kSigFpe, 1};
        case 1: return {kSigTrap, 2};
        case 3: return {kSigTrap, kSiKernel};
        case 6: return {kSigIll, 2};
        case 7:
        case 9: return {kSigFpe, kSiKernel};
        case 11:
        case 12: return {kSigBus, kSiKernel};
        case 14: {
            auto result = static_cast<FaultResult>(Thread::current().fault_result);
            if (result == FaultResult::bus_error) return {kSigBus, kBusAdrErr};
            if (result == FaultResult::out_of_memory) return {kSigKill, kSiKernel};
            bool denied = result == FaultResult::bad_address_protection;
            return {kSigSegv, denied ? kSegvAccErr : kSegvMapErr};
        }
        case 16: return {kSigFpe, float_code(x87_exceptions())};
        case 19: return {kSigFpe, float_code(sse_exceptions())};
        case 17: return {kSigBus, 1};
        default: return {kSigSegv, kSiKernel};
    }
}

bool would_be_fatal(int number) {
    Process& process = current_process();
    LockGuard guard(process.signal_lock);
    return process.actions[number - 1].handler <= kHandlerIgnore ||
           (current_thread().blocked & signal_bit(number));
}

}  // namespace

void user_exception(TrapFrame& frame, VirtAddr fault_address) {
    UserThread& self = current_thread();
    ExceptionSignal what = exception_signal(frame);
    SignalInfo info = signal_from_kernel(what.number);
    info.code = what.code;
    bool has_address = what.code > 0 && what.code < kSiKernel;
    info.fields[0] = has_address ? fault_address.raw() : 0;
    self.fault_address = frame.vector == 14 ? fault_address.raw() : 0;
    if (what.number == kSigKill && make_room_for_current()) return;
    if (what.number == kSigKill)
        log_warning("out of memory: {}[{}] wants a page, is the largest, and is killed",
                    static_cast<const char*>(self.name), current_process().pid);
    else if (would_be_fatal(what.number) && frame.vector != 1 && frame.vector != 3)
        log_info(
            "{}[{}]: {} at eip {:08x}, error {:x}, address {:08x}, cs {:x} (CPL {}): signal {}",
            static_cast<const char*>(self.name), current_process().pid,
            exception_name(frame.vector), frame.eip, frame.error, fault_address, frame.cs & 0xffff,
            frame.cs & 3, what.number);
    force_signal(info);
}
