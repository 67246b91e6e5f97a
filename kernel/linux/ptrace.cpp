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

Result<void> trace_me() {
    UserThread& self = current_thread();
    Ref<Process> parent;
    {
        LockGuard guard(process_tree);
        parent = Ref<Process>(current_process().parent);
    }
    if (!parent) return Errno::perm;
    self.tracer_is_superuser = parent->fs.credentials.may(Capability::sys_ptrace);
    return begin_tracing(self, *parent, false, 0);
}

Result<void> attach(UserThread& thread, bool seized, uint32_t options) {
    Process& process = *thread.process;
    const Credentials& own = context().credentials;
    if (&process == &current_process()) return Errno::perm;
    if (!may_inspect(process, own.uid, own.gid)) return Errno::perm;
    if (seized && (options & ~kAllOptions)) return Errno::inval;
    thread.tracer_is_superuser = own.may(Capability::sys_ptrace);
    TRY(begin_tracing(thread, current_process(), seized, options));
    LockGuard guard(process_tree);
    if (!seized) send_signal(thread, signal_from_kernel(kSigStop));
    process.resumed.wake_all();  // a stopped one stops anew, as a tracee
    interrupt_thread(thread);
    return {};
}

// --- its memory

Result<void> peek(AddressSpace& space, VirtAddr from, UserPtr<uint32_t> to) {
    uint32_t value;
    if (space.read(&value, from, sizeof value).is_error()) return Errno::io;
    return write_user(to, value);
}

// --- its stop

struct CallInfo {  // struct ptrace_syscall_info
    uint8_t kind = 0, padding[3] = {};
    uint32_t architecture = 0x40000003;  // AUDIT_ARCH_I386
    uint64_t eip, esp;
    uint64_t values[7] =
        {};  // the call's number and arguments; or its result and whether that is an error
};

Result<uint32_t> give_call_info(const Tracee& t, uint32_t room, UserPtr<void> to) {
    const TrapFrame& f = t.thread.user_frame();
    CallInfo info;
    info.eip = f.eip;
    info.esp = f.user_esp;
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

// PTRACE_CONT and its kin.
Result<void> let_go(Tracee& t, bool stops_at_calls, bool steps, uint32_t signal) {
    if (signal > kSignals) return Errno::io;
    LockGuard guard(process_tree);
    if (!t.stopped || t.tracer != &current_process()) return Errno::srch;
    resume(t, stops_at_calls, steps, static_cast<int>(signal));
    return {};
}

Result<void> detach(Tracee& t, uint32_t signal) {
    if (signal > kSignals) return Errno::io;
    LockGuard guard(process_tree);
    if (!t.stopped || t.tracer != &current_process()) return Errno::srch;
    end_tracing(t, static_cast<int>(signal));
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

Result<uint32_t> on_mask(Tracee& t, bool set, uint32_t bytes, UserPtr<SignalSet> at) {
    if (bytes != sizeof(SignalSet)) return Errno::inval;
    if (!set) {
        TRY(write_user(at, t.thread.blocked));
        return 0u;
    }
    const SignalSet mask = TRY(read_user(UserPtr<const SignalSet>(at.address().raw())));
    LockGuard guard(t.thread.process->signal_lock);
    t.thread.blocked = mask & ~kUnblockable;
    return 0u;
}

template <typename T>
Result<uint32_t> nothing(const Result<T>& done) {
    if (done.is_error()) return done.error();
    return 0u;
}

Result<uint32_t> on_stopped(Tracee& t, uint32_t request, uint32_t address, uint32_t data) {
    UserThread& thread = t.thread;
    Ref<AddressSpace> space;
    {
        LockGuard guard(process_tree);
        space = thread.process->space;
    }
    if (!space) return Errno::srch;
    switch (request) {
        case kPeekText:
        case kPeekData: return nothing(peek(*space, VirtAddr(address), UserPtr<uint32_t>(data)));
        case kPokeText:
        case kPokeData:
            return nothing(write_by_force(*space, VirtAddr(address), &data, sizeof data));
        case kPeekUser: return nothing(peek_user_area(thread, address, UserPtr<uint32_t>(data)));
        case kPokeUser: return nothing(poke_user_area(thread, address, data));
        case kGetRegisters: return nothing(get_register_set(thread, kGeneralSet, data, UINT32_MAX));
        case kSetRegisters: return nothing(set_register_set(thread, kGeneralSet, data, UINT32_MAX));
        case kGetFloat: return nothing(get_register_set(thread, kFloatSet, data, UINT32_MAX));
        case kSetFloat: return nothing(set_register_set(thread, kFloatSet, data, UINT32_MAX));
        case kGetExtendedFloat:
            return nothing(get_register_set(thread, kExtendedSet, data, UINT32_MAX));
        case kSetExtendedFloat:
            return nothing(set_register_set(thread, kExtendedSet, data, UINT32_MAX));
        case kGetSet: return nothing(get_register_range(thread, address, UserPtr<UserRange>(data)));
        case kSetSet: return nothing(set_register_range(thread, address, UserPtr<UserRange>(data)));
        case kGetThreadArea:
        case kSetThreadArea: {
            if (request == kSetThreadArea)
                return nothing(set_thread_area(thread, UserPtr<void>(data)));
            TRY(write_user(UserPtr<uint32_t>(data), address));
            return nothing(get_thread_area(thread, UserPtr<void>(data)));
        }
        case kContinue: return nothing(let_go(t, false, false, data));
        case kToNextCall: return nothing(let_go(t, true, false, data));
        case kSingleStep: return nothing(let_go(t, false, true, data));
        case kDetach: return nothing(detach(t, data));
        case kListen: return nothing(listen(t));
        case kSetOptions:
            if (data & ~kAllOptions) return Errno::inval;
            t.options = data;
            return 0u;
        case kGetMessage: return nothing(write_user(UserPtr<uint32_t>(data), t.message));
        case kGetInfo: return nothing(write_user(UserPtr<SignalInfo>(data), t.info));
        case kSetInfo: t.info = TRY(read_user(UserPtr<const SignalInfo>(data))); return 0u;
        case kGetMask:
        case kSetMask: return on_mask(t, request == kSetMask, address, UserPtr<SignalSet>(data));
        case kGetCall: return give_call_info(t, address, UserPtr<void>(data));
        default: return Errno::io;
    }
}

Result<uint32_t> sys_ptrace(uint32_t request, int tid, uint32_t address, uint32_t data) {
    if (request == kTraceMe) return nothing(trace_me());
    if (tid <= 0) return Errno::srch;
    Ref<UserThread> thread = TRY(thread_named(tid));
    if (request == kAttach) return nothing(attach(*thread, false, 0));
    if (request == kSeize) {
        if (address) return Errno::io;
        return nothing(attach(*thread, true, data));
    }
    Tracee* t = tracee_of(*thread);
    bool stopped;
    {
        LockGuard guard(process_tree);
        if (!t || t->tracer != &current_process()) return Errno::srch;
        stopped = t->stopped && !t->listening;
    }
    if (request == kKill) {
        send_signal(*thread->process, signal_from_kernel(kSigKill));
        return 0u;
    }
    if (request == kInterrupt) return nothing(interrupt(*t));
    if (!stopped) return Errno::srch;
    wait_until_off_cpu(*thread);
    return on_stopped(*t, request, address, data);
}

constexpr SystemCall kTraceCalls[] = {CALL(26, ptrace, sys_ptrace)};
SYSTEM_CALLS(kTraceCalls);

}  // namespace
