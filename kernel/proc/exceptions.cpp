// Exceptions of user mode become signals for the thread that caused them.
// Spec: SDM vol. 3A chapter 6; siginfo's codes in sigaction(2).
#include "kernel/arch/cpu.hpp"
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

constexpr uint32_t kSingleStepped = 1u << 14;  // DR6.BS
constexpr int kTrapWatched = 4;                // TRAP_HWBKPT

struct ExceptionSignal {
    int number, code;
};

// For a page fault that mm did not resolve; `result` is its reason:
//   bus_error               SIGBUS   kBusAdrErr   mapped, but the file has no such byte
//   out_of_memory           SIGKILL  kSiKernel    there is no frame for the page
//   bad_address_protection  SIGSEGV  kSegvAccErr  mapped, but not for this kind of access
//   anything else           SIGSEGV  kSegvMapErr  nothing is mapped there
// Lab 1.2: stub { (void)result; return {kSigSegv, kSegvMapErr}; }
ExceptionSignal page_fault_signal(FaultResult result) {
    switch (result) {
        case FaultResult::bus_error: return {kSigBus, kBusAdrErr};
        case FaultResult::out_of_memory: return {kSigKill, kSiKernel};
        case FaultResult::bad_address_protection: return {kSigSegv, kSegvAccErr};
        default: return {kSigSegv, kSegvMapErr};
    }
}

// The signal for an exception of the running program, and the code that tells its handler more:
//   SIGFPE   a calculation: #DE (code 1), #MF (float_code(x87_exceptions())), #XM (the same of
//            sse_exceptions()); a missing x87, vectors 7 and 9 (kSiKernel)
//   SIGTRAP  for debuggers: #DB (2), #BP (kSiKernel)
//   SIGILL   no instruction of this CPU: #UD (2)
//   SIGBUS   a segment that is not there: #NP, #SS (kSiKernel); an odd address: #AC (1)
//   SIGSEGV  everything else: privileged instructions, #OF, #BR, ... (kSiKernel)
// A page fault's is page_fault_signal(Thread::current().fault_result).
// Spec: SDM vol. 3A table 6-1; siginfo codes as Linux i386 gives them.
// Lab 1.2: stub { (void)vector; return {kSigSegv, kSiKernel}; }
ExceptionSignal exception_signal(uint32_t vector) {
    switch (vector) {
        case 0: return {kSigFpe, 1};
        case 1: return {kSigTrap, 2};
        case 3: return {kSigTrap, kSiKernel};
        case 6: return {kSigIll, 2};
        case 7:
        case 9: return {kSigFpe, kSiKernel};
        case 11:
        case 12: return {kSigBus, kSiKernel};
        case 14: return page_fault_signal(FaultResult{Thread::current().fault_result});
        case 16: return {kSigFpe, float_code(x87_exceptions())};
        case 17: return {kSigBus, 1};
        case 19: return {kSigFpe, float_code(sse_exceptions())};
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
    ExceptionSignal what = exception_signal(frame.vector);
    SignalInfo info = signal_from_kernel(what.number);
    info.code = what.code;
    const DebugRegisters* watched = self.debug_registers;
    if (frame.vector == 1 && watched && !(watched->status & kSingleStepped))
        info.code = kTrapWatched;
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
