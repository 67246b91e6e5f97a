// ptrace(2). See tracee.hpp for what a stop is; what a request copies is in ptrace_registers.cpp.
// Locks: a request on a stopped tracee keeps a reference to its thread; the tracee stays stopped, for only
// its tracer lets it go on, or SIGKILL, after which the copies are of no interest.
#include "kernel/linux/other_memory.hpp"
#include "kernel/linux/ptrace_registers.hpp"
#include "kernel/linux/tracee.hpp"
#include "kernel/proc/process_table.hpp"
#include "kernel/proc/segments.hpp"
#include "kernel/sched/scheduler.hpp"
#include "kernel/syscall/system_call.hpp"

namespace {

enum Request : uint32_t {
    kTraceMe = 0,
    kPeekText = 1,
    kPeekData = 2,
    kPeekUser = 3,
    kPokeText = 4,
    kPokeData = 5,
    kPokeUser = 6,
    kContinue = 7,
    kKill = 8,
    kSingleStep = 9,
    kGetRegisters = 12,
    kSetRegisters = 13,
    kGetFloat = 14,
    kSetFloat = 15,
    kAttach = 16,
    kDetach = 17,
    kGetExtendedFloat = 18,
    kSetExtendedFloat = 19,
    kToNextCall = 24,
    kGetThreadArea = 25,
    kSetThreadArea = 26,
    kSetOptions = 0x4200,
    kGetMessage = 0x4201,
    kGetInfo = 0x4202,
    kSetInfo = 0x4203,
    kGetSet = 0x4204,
    kSetSet = 0x4205,
    kSeize = 0x4206,
    kInterrupt = 0x4207,
    kListen = 0x4208,
    kGetMask = 0x420a,
    kSetMask = 0x420b,
    kGetCall = 0x420e,
};

// --- becoming a tracer

Result<void> trace_me() NO_LOCK_ANALYSIS {
    const Ref<Process> parent = kept(current_process().parent);
    return parent ? begin_tracing(current_thread(), *parent, false, 0) : Errno::perm;
}

Result<void> attach(UserThread& thread, bool seized, uint32_t options) {
    Process& process = *thread.process;
    const Credentials& own = context().credentials;
    if (&process == &current_process() || !may_inspect(process, own.uid, own.gid))
        return Errno::perm;
    if (seized && (options & ~kAllOptions)) return Errno::inval;
    TRY(begin_tracing(thread, current_process(), seized, options));
    LockGuard guard(process_tree);
    if (!seized) send_signal(thread, signal_from_kernel(kSigStop));
    process.resumed.wake_all();  // a stopped one stops anew, as a tracee, before we go on
    interrupt_thread(thread);
    const Tracee& t = *tracee_of(thread);
    const Nanoseconds late = monotonic_now() + kNanosecondsPerSecond;
    auto ready = [&]() REQUIRES(process_tree) { return !process.stopped || t.stopped; };
    current_process().child_change.wait(process_tree, ready, {false, late, "ptrace"});
    return {};
}

// --- what it does with a stopped tracee

Result<void> peek(AddressSpace& space, VirtAddr from, UserPtr<uint32_t> to) {
    uint32_t value;
    if (space.read(&value, from, sizeof value).is_error()) return Errno::io;
    return write_user(to, value);
}

struct CallInfo {  // struct ptrace_syscall_info
    uint8_t kind = 0, padding[3] = {};
    uint32_t architecture = 0x40000003;  // AUDIT_ARCH_I386
    uint64_t eip, esp;
    uint64_t values[7] = {};  // number and arguments; or result and whether it is an error
};

Result<uint32_t> give_call_info(const Tracee& t, uint32_t room, UserPtr<void> to) {
    const TrapFrame& f = t.thread.user_frame();
    CallInfo info{.eip = f.eip, .esp = f.user_esp};
    uint32_t bytes = 24;
    const CallStop at = t.options & kMarkCalls ? t.at_call : CallStop::none;  // as on Linux
    if (at == CallStop::entry) {
        info.kind = 1;
        const uint32_t values[] = {f.error, f.ebx, f.ecx, f.edx, f.esi, f.edi, f.ebp};
        for (int i = 0; i < 7; ++i) info.values[i] = values[i];
        bytes = sizeof info;
    } else if (at == CallStop::exit) {
        info.kind = 2;
        info.values[0] = static_cast<uint64_t>(static_cast<int32_t>(f.eax));
        info.values[1] = f.eax > 0u - 4096;
        bytes = 33;
    }
    TRY(copy_to_user(to.address(), &info, std::min(bytes, room)));
    return bytes;
}

// PTRACE_CONT and its kin, and PTRACE_DETACH.
Result<void> let_go(Tracee& t, uint32_t request, uint32_t signal) {
    if (signal > kSignals) return Errno::io;
    LockGuard guard(process_tree);
    if (!t.stopped || t.tracer != &current_process()) return Errno::srch;
    if (request == kDetach)
        end_tracing(t, static_cast<int>(signal));
    else
        resume(t, request == kToNextCall, request == kSingleStep, static_cast<int>(signal));
    return {};
}

Result<void> interrupt(Tracee& t) {
    if (!t.seized) return Errno::io;
    LockGuard guard(process_tree);
    t.stop_wanted = true;
    interrupt_thread(t.thread);
    return {};
}

Result<void> listen(Tracee& t) {
    LockGuard guard(process_tree);
    if (!t.seized || !t.stopped || t.what >> 8 != static_cast<int>(kEventStop)) return Errno::io;
    t.listening = true;
    t.reported = true;
    interrupt_thread(t.thread);
    return {};
}

// A group stop has none.
Result<void> on_info(Tracee& t, bool set, UserPtr<SignalInfo> at) {
    if (!t.info.number) return Errno::inval;
    if (!set) return write_user(at, t.info);
    t.info = TRY(read_user(UserPtr<const SignalInfo>(at.address().raw())));
    return {};
}

Result<void> on_mask(Tracee& t, bool set, uint32_t bytes, UserPtr<SignalSet> at) {
    if (bytes != sizeof(SignalSet)) return Errno::inval;
    if (!set) return write_user(at, t.thread.blocked);
    const SignalSet mask = TRY(read_user(UserPtr<const SignalSet>(at.address().raw())));
    LockGuard guard(t.thread.process->signal_lock);
    t.thread.blocked = mask & ~kUnblockable;
    return {};
}

// Only PTRACE_GET_SYSCALL_INFO has a `result`.
Result<void> on_stopped(Tracee& t, uint32_t request, uint32_t address, uint32_t data,
                        uint32_t& result) {
    UserThread& thread = t.thread;
    const Ref<AddressSpace> space = TRY(space_of(thread));
    auto copy_registers = [&](uint32_t set, uint32_t setting_request) -> Result<void> {
        TRY(copy_register_set(thread, set, request == setting_request, VirtAddr(data), UINT32_MAX));
        return {};
    };
    switch (request) {
        case kPeekText:
        case kPeekData: return peek(*space, VirtAddr(address), UserPtr<uint32_t>(data));
        case kPokeText:
        case kPokeData: return write_by_force(*space, VirtAddr(address), &data, sizeof data);
        case kPeekUser: return peek_user_area(thread, address, UserPtr<uint32_t>(data));
        case kPokeUser: return poke_user_area(thread, address, data);
        case kGetRegisters:
        case kSetRegisters: return copy_registers(kGeneralSet, kSetRegisters);
        case kGetFloat:
        case kSetFloat: return copy_registers(kFloatSet, kSetFloat);
        case kGetExtendedFloat:
        case kSetExtendedFloat: return copy_registers(kExtendedSet, kSetExtendedFloat);
        case kGetSet:
        case kSetSet:
            return copy_register_range(thread, address, request == kSetSet,
                                       UserPtr<UserRange>(data));
        case kGetThreadArea:
            TRY(write_user(UserPtr<uint32_t>(data), address));
            return get_thread_area(thread, UserPtr<void>(data));
        case kSetThreadArea: return set_thread_area(thread, UserPtr<void>(data));
        case kContinue:
        case kToNextCall:
        case kSingleStep:
        case kDetach: return let_go(t, request, data);
        case kListen: return listen(t);
        case kSetOptions:
            if (data & ~kAllOptions) return Errno::inval;
            t.options = data;
            return {};
        case kGetMessage: return write_user(UserPtr<uint32_t>(data), t.message);
        case kGetInfo:
        case kSetInfo: return on_info(t, request == kSetInfo, UserPtr<SignalInfo>(data));
        case kGetMask:
        case kSetMask: return on_mask(t, request == kSetMask, address, UserPtr<SignalSet>(data));
        case kGetCall: result = TRY(give_call_info(t, address, UserPtr<void>(data))); return {};
        default: return Errno::io;
    }
}

Result<void> perform(uint32_t request, int tid, uint32_t address, uint32_t data, uint32_t& result) {
    if (request == kTraceMe) return trace_me();
    if (tid <= 0) return Errno::srch;
    Ref<UserThread> thread = TRY(thread_named(tid));
    if (request == kAttach) return attach(*thread, false, 0);
    if (request == kSeize) return address ? Errno::io : attach(*thread, true, data);
    Tracee* t = tracee_of(*thread);
    bool stopped;
    {
        LockGuard guard(process_tree);
        if (!t || t->tracer != &current_process()) return Errno::srch;
        stopped = t->stopped && !t->listening;
    }
    if (request == kKill) return kill_process(*thread->process), Result<void>();
    if (request == kInterrupt) return interrupt(*t);
    if (!stopped) return Errno::srch;
    wait_until_off_cpu(*thread);
    return on_stopped(*t, request, address, data, result);
}

Result<uint32_t> sys_ptrace(uint32_t request, int tid, uint32_t address, uint32_t data) {
    uint32_t result = 0;
    TRY(perform(request, tid, address, data, result));
    return result;
}

constexpr SystemCall kTraceCalls[] = {CALL(26, ptrace, sys_ptrace)};
SYSTEM_CALLS(kTraceCalls);

}  // namespace
