// Delivering signals on the way back to user mode: default actions, stopping, handler frames and
// the way back from them, and restarted system calls.
// Spec: signal(7), sigreturn(2); "interruption of system calls" in signal(7).
#include "kernel/arch/cpu.hpp"
#include "kernel/arch/fpu.hpp"
#include "kernel/arch/traps.hpp"
#include "kernel/lib/log.hpp"
#include "kernel/proc/job_control.hpp"
#include "kernel/proc/process_table.hpp"
#include "kernel/proc/signal_frame.hpp"

bool take_signal(PendingSignals& pending, SignalSet allowed, SignalInfo& info);
void recalculate_pending(UserThread& thread);

namespace {

constexpr uint32_t kSystemCallVector = 0x80, kIntLength = 2;
// EFLAGS bits that a program may set: CF PF AF ZF SF TF DF OF NT? no; RF AC ID.
constexpr uint32_t kUserFlags = 0x00250dd5, kFlagTrap = 0x100, kFlagDirection = 0x400;
constexpr int kStackOn = 1, kStackDisable = 2;

enum class DefaultAction : uint8_t { terminate, core, ignore, stop };

DefaultAction default_action(int number) {
    switch (number) {
        case kSigChld:
        case kSigCont:
        case kSigUrg:
        case kSigWinch: return DefaultAction::ignore;
        case kSigStop:
        case kSigTstp:
        case kSigTtin:
        case kSigTtou: return DefaultAction::stop;
        case kSigQuit:
        case kSigIll:
        case kSigTrap:
        case kSigAbrt:
        case kSigBus:
        case kSigFpe:
        case kSigSegv:
        case kSigXcpu:
        case kSigXfsz:
        case kSigSys: return DefaultAction::core;
        default: return DefaultAction::terminate;
    }
}

// A call that was interrupted before it did anything: repeat it, or let it fail with EINTR.
void settle_interrupted_call(TrapFrame& frame, bool handler, bool restart_wanted) {
    if (frame.vector != kSystemCallVector) return;
    auto result = -static_cast<int32_t>(frame.eax);
    bool always = result == static_cast<int32_t>(Errno::restart);
    if (!always && result != static_cast<int32_t>(Errno::restart_no_handler)) return;
    if (handler && !(always && restart_wanted)) {
        frame.eax = static_cast<uint32_t>(-static_cast<int32_t>(Errno::intr));
        current_thread().restart_deadline = Nanoseconds(0);  // that sleep is over
    } else {
        frame.eax = frame.error;  // the call's number
        frame.eip -= kIntLength;
    }
}

void stop_process(int number) {
    Process& self = current_process();
    {
        LockGuard guard(process_tree);
        if (number != kSigStop && group_is_orphaned(self.pgid)) return;
        LockGuard signals(self.signal_lock);
        if (self.group_exit) return;
        self.stopped = self.stop_unreported = true;
        self.continue_unreported = false;
        self.stop_signal = number;
        for (Thread& thread : self.threads)
            if (&thread != &Thread::current()) interrupt_thread(thread);
    }
    LockGuard guard(process_tree);
    report_to_parent(self, kCldStopped, number);
}

void wait_while_stopped(Process& process) {
    LockGuard guard(process.signal_lock);
    process.resumed.wait(
        process.signal_lock,
        [&] { return !process.stopped || process.group_exit || current_thread().tracer.relaxed(); },
        {.interruptible = false, .deadline = {}, .reason = "stopped"});
}

SignalContext save_context(const TrapFrame& f, SignalSet mask, uint32_t fpu,
                           uint32_t fault_address) {
    return {f.gs,
            f.fs,
            f.es,
            f.ds,
            f.edi,
            f.esi,
            f.ebp,
            f.user_esp,
            f.ebx,
            f.edx,
            f.ecx,
            f.eax,
            f.vector == kSystemCallVector ? 0 : f.vector,
            f.vector == kSystemCallVector ? 0 : f.error,
            f.eip,
            f.cs,
            f.eflags,
            f.user_esp,
            f.user_ss,
            fpu,
            static_cast<uint32_t>(mask),
            fault_address};
}

void fill_fpu_frame(FpuFrame& out, FpuState& state) {
    if (!fpu_has_fxsr()) {
        fpu_save(state);
        __builtin_memcpy(&out, state.bytes, 108);
        __builtin_memset(out.fxsave, 0, sizeof out.fxsave);
        out.status_word = 0;
        out.magic = 0xffff;
        fpu_load(state);  // FNSAVE reset the registers
        return;
    }
    fpu_save_to(out.fxsave);
    __builtin_memset(&out, 0, offsetof(FpuFrame, fxsave));
    out.control = 0xffff0000u | (out.fxsave[0] | out.fxsave[1] << 8);
    out.status = 0xffff0000u | (out.fxsave[2] | out.fxsave[3] << 8);
    out.tag = 0xffffffff;
}

bool on_alternate_stack(const AlternateStack& stack, uint32_t esp) {
    return !(stack.flags & kStackDisable) && esp - stack.start < stack.size;
}

template <typename Frame>
void fill_trampoline(Frame& frame, bool with_info) {
    // pop %eax (only without information); mov $number, %eax; int $0x80
    constexpr uint8_t kPlain[8] = {0x58, 0xb8, 119, 0, 0, 0, 0xcd, 0x80};
    constexpr uint8_t kWithInfo[8] = {0xb8, 173, 0, 0, 0, 0xcd, 0x80, 0x90};
    __builtin_memcpy(frame.trampoline, with_info ? kWithInfo : kPlain, 8);
}

struct HandlerCall {
    const SignalAction& action;
    const SignalInfo& info;
    SignalSet old_mask;
    uint32_t fault_address;
};

// Writes the frame below `esp`; the new stack pointer, or EFAULT.
template <typename Frame, typename Fill>
Result<uint32_t> push_frame(uint32_t esp, const HandlerCall& call, bool with_info, Fill&& fill) {
    FpuFrame fpu;
    fill_fpu_frame(fpu, Thread::current().fpu);
    uint32_t fpu_at = align_down(esp - static_cast<uint32_t>(sizeof fpu), 64u);
    uint32_t at = align_down(fpu_at - static_cast<uint32_t>(sizeof(Frame)) + 4, 16u) - 4;
    Frame frame;
    frame.return_address = call.action.flags & kSaRestorer
                               ? call.action.restorer
                               : at + static_cast<uint32_t>(offsetof(Frame, trampoline));
    frame.number = call.info.number;
    fill_trampoline(frame, with_info);
    fill(frame, at, fpu_at);
    // The rest of the area is reserved, and FXSAVE leaves it as it was: on our stack, not for users.
    TRY(copy_to_user(VirtAddr(fpu_at), &fpu, offsetof(FpuFrame, fxsave) + kFxsaveUsed));
    TRY(copy_to_user(VirtAddr(at), &frame, sizeof frame));
    return at;
}

Result<void> enter_handler(TrapFrame& f, const HandlerCall& call) {
    UserThread& self = current_thread();
    uint32_t esp = f.user_esp;
    if ((call.action.flags & kSaOnStack) && !(self.alternate_stack.flags & kStackDisable) &&
        !on_alternate_stack(self.alternate_stack, esp))
        esp = self.alternate_stack.start + self.alternate_stack.size;
    bool with_info = call.action.flags & kSaSigInfo;
    auto mask_high = static_cast<uint32_t>(call.old_mask >> 32);
    uint32_t at;
    if (with_info) {
        at = TRY(push_frame<SignalInfoFrame>(
            esp, call, true, [&](auto& frame, uint32_t where, uint32_t fpu) {
                frame.info = call.info;
                frame.info_address = where + static_cast<uint32_t>(offsetof(SignalInfoFrame, info));
                frame.context_address =
                    where + static_cast<uint32_t>(offsetof(SignalInfoFrame, ucontext));
                frame.ucontext.flags = frame.ucontext.link = 0;
                frame.ucontext.stack = self.alternate_stack;
                if (on_alternate_stack(self.alternate_stack, f.user_esp))
                    frame.ucontext.stack.flags |= kStackOn;
                frame.ucontext.context = save_context(f, call.old_mask, fpu, call.fault_address);
                frame.ucontext.mask_low = static_cast<uint32_t>(call.old_mask);
                frame.ucontext.mask_high = mask_high;
            }));
    } else {
        at =
            TRY(push_frame<SignalFrame>(esp, call, false, [&](auto& frame, uint32_t, uint32_t fpu) {
                frame.context = save_context(f, call.old_mask, fpu, call.fault_address);
                frame.mask_high = mask_high;
            }));
    }
    f.user_esp = at;
    f.eip = call.action.handler;
    f.cs = SELECTOR_USER_CODE;
    f.user_ss = f.ds = f.es = SELECTOR_USER_DATA;
    f.eax = static_cast<uint32_t>(call.info.number);  // the register arguments of regparm handlers
    f.edx = with_info ? at + static_cast<uint32_t>(offsetof(SignalInfoFrame, info)) : 0;
    f.ecx = with_info ? at + static_cast<uint32_t>(offsetof(SignalInfoFrame, ucontext)) : 0;
    f.eflags &= ~(kFlagTrap | kFlagDirection);
    fpu_load(initial_fpu_state());
    return {};
}

[[noreturn]] void die_with_core(const SignalInfo& info) {
    constexpr int kCoreWritten = 0x80;
    exit_group(info.number | (write_core && write_core(info) ? kCoreWritten : 0));
}

void run_handler(TrapFrame& frame, const SignalAction& action, const SignalInfo& info) {
    UserThread& self = current_thread();
    Process& process = current_process();
    settle_interrupted_call(frame, true, action.flags & kSaRestart);
    SignalSet old_mask = self.mask_saved ? self.saved_mask : self.blocked;
    self.mask_saved = false;
    Result<void> entered = enter_handler(frame, {action, info, old_mask, self.fault_address});
    if (entered.is_error()) {
        log_info("{}[{}]: no stack for the handler of signal {}: killed",
                 static_cast<const char*>(self.name), process.pid, info.number);
        die_with_core(signal_from_kernel(kSigSegv));
    }
    SignalSet block = action.mask();
    if (!(action.flags & kSaNoDefer)) block |= signal_bit(info.number);
    LockGuard guard(process.signal_lock);
    self.blocked |= block & ~kUnblockable;  // deliver_signals() looks at what is left
}

// Locks taken: signal_lock. The next signal to act on, and its action; false if there is none.
bool next_signal(SignalInfo& info, SignalAction& action) {
    UserThread& self = current_thread();
    Process& process = current_process();
    LockGuard guard(process.signal_lock);
    if (!((self.pending.set | process.pending.set) & ~self.blocked)) [[likely]] {
        recalculate_pending(self);
        return false;
    }
    if (!take_signal(self.pending, ~self.blocked, info))
        take_signal(process.pending, ~self.blocked, info);
    SignalAction& slot = process.actions[info.number - 1];
    action = slot;
    if ((action.flags & kSaResetHand) && action.handler > kHandlerIgnore)
        slot.handler = kHandlerDefault;
    return true;
}

void act_by_default(const SignalInfo& info, bool forced) {
    Process& process = current_process();
    if (&process == init_process && !forced) return;
    switch (default_action(info.number)) {
        case DefaultAction::ignore: return;
        case DefaultAction::stop: return stop_process(info.number);
        case DefaultAction::core: die_with_core(info);
        case DefaultAction::terminate: exit_group(info.number);
    }
}

}  // namespace

void deliver_signals(TrapFrame& frame) {
    UserThread& self = current_thread();
    Process& process = current_process();
    SignalInfo info;
    SignalAction action;
    for (;;) {
        if (process.group_exit) exit_current_thread(process.group_exit_status);
        if (process.exec_pending) exit_current_thread(0);
        const bool goes_on = self.tracer.relaxed() && tracing_hooks.before_signals();
        if (process.stopped && !goes_on) {
            wait_while_stopped(process);
            continue;
        }
        if (!next_signal(info, action)) break;
        bool forced = std::exchange(self.forced_signal, 0) == info.number;
        if (self.tracer.relaxed() && !tracing_hooks.signal(info, action)) continue;
        if (action.handler == kHandlerIgnore) continue;
        if (action.handler == kHandlerDefault)
            act_by_default(info, forced);
        else
            run_handler(frame, action, info);
    }
    settle_interrupted_call(frame, false, true);
    drop_temporary_mask();
}

namespace {

// The FPU registers from the frame at a user address; 0: leave them. False for a bad address.
bool restore_fpu(UserThread& self, uint32_t at) {
    if (!at) return true;
    uint16_t magic;
    constexpr uint32_t kHead = offsetof(FpuFrame, fxsave), kMagic = offsetof(FpuFrame, magic);
    if (copy_from_user(&magic, VirtAddr(at + kMagic), sizeof magic).is_error()) return false;
    if (fpu_has_fxsr() && magic == 0) {
        if (copy_from_user(self.fpu.bytes, VirtAddr(at + kHead), kFxsaveUsed).is_error())
            return false;
    } else if (copy_from_user(self.fpu.bytes, VirtAddr(at), 108).is_error()) {
        return false;
    }
    fpu_sanitise(self.fpu);
    fpu_load(self.fpu);
    return true;
}

}  // namespace

int32_t signal_return(TrapFrame& frame, bool with_info) {
    UserThread& self = current_thread();
    SignalContext context;
    SignalSet mask;
    bool ok;
    if (with_info) {
        uint32_t at = frame.user_esp - 4;
        SignalInfoFrame saved;
        ok = copy_from_user(&saved, VirtAddr(at), sizeof saved).is_ok();
        context = saved.ucontext.context;
        mask = saved.ucontext.mask_low | static_cast<SignalSet>(saved.ucontext.mask_high) << 32;
        if (ok && !on_alternate_stack(self.alternate_stack, frame.user_esp))
            self.alternate_stack = {saved.ucontext.stack.start,
                                    saved.ucontext.stack.flags & kStackDisable,
                                    saved.ucontext.stack.size};
    } else {
        SignalFrame saved;
        ok = copy_from_user(&saved, VirtAddr(frame.user_esp - 8), sizeof saved).is_ok();
        context = saved.context;
        mask = saved.context.old_mask | static_cast<SignalSet>(saved.mask_high) << 32;
    }
    ok = ok && restore_fpu(self, context.fpu);
    if (!ok) {
        force_signal(signal_from_kernel(kSigSegv));
        return static_cast<int32_t>(frame.eax);
    }
    set_mask(mask);
    frame.gs = context.gs | (context.gs ? 3 : 0), frame.fs = context.fs | (context.fs ? 3 : 0);
    frame.es = context.es | (context.es ? 3 : 0), frame.ds = context.ds | (context.ds ? 3 : 0);
    frame.edi = context.edi, frame.esi = context.esi, frame.ebp = context.ebp;
    frame.ebx = context.ebx, frame.edx = context.edx, frame.ecx = context.ecx;
    frame.user_esp = context.esp;
    frame.eip = context.eip;
    // Whatever they select, ring 3 does: IRET refuses the rest, and that is the program's fault.
    frame.cs = (context.cs & 0xffff) | 3;
    frame.user_ss = (context.ss & 0xffff) | 3;
    frame.eflags = (frame.eflags & ~kUserFlags) | (context.eflags & kUserFlags);
    frame.vector = 0;  // its eax is the program's: no restart
    frame.eax = context.eax;
    return static_cast<int32_t>(context.eax);
}
