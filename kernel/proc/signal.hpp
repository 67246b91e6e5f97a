// Signals: sets, actions, queues, and sending. Delivery (signal_delivery.cpp) happens on the way
// back to user mode. Numbers and structures are Linux i386's. Spec: signal(7), sigaction(2).
// Locks: a process' signal state is under its `signal_lock` (IrqSpinLock, rank process), its threads'
// pending sets and masks too; sending walks processes under process_tree.
#pragma once

#include "fs/user_account.hpp"
#include "kernel/arch/user_access.hpp"
#include "kernel/lib/list.hpp"
#include "kernel/lib/result.hpp"
#include "kernel/sync/spin_lock.hpp"

class Process;
extern IrqSpinLock process_tree;
class UserThread;
struct TrapFrame;

constexpr int kSigHup = 1, kSigInt = 2, kSigQuit = 3, kSigIll = 4, kSigTrap = 5, kSigAbrt = 6,
              kSigBus = 7, kSigFpe = 8, kSigKill = 9, kSigUsr1 = 10, kSigSegv = 11, kSigUsr2 = 12,
              kSigPipe = 13, kSigAlrm = 14, kSigTerm = 15, kSigChld = 17, kSigCont = 18,
              kSigStop = 19, kSigTstp = 20, kSigTtin = 21, kSigTtou = 22, kSigUrg = 23,
              kSigXcpu = 24, kSigXfsz = 25, kSigVtalrm = 26, kSigProf = 27, kSigWinch = 28,
              kSigSys = 31, kFirstRealTime = 32, kSignals = 64;

using SignalSet = uint64_t;  // bit n-1: signal n
constexpr SignalSet signal_bit(int number) { return SignalSet(1) << (number - 1); }
constexpr SignalSet kUnblockable = signal_bit(kSigKill) | signal_bit(kSigStop);

constexpr uint32_t kHandlerDefault = 0, kHandlerIgnore = 1;
constexpr uint32_t kSaNoChildStop = 1, kSaNoChildWait = 2, kSaSigInfo = 4, kSaRestorer = 0x04000000,
                   kSaOnStack = 0x08000000, kSaRestart = 0x10000000, kSaNoDefer = 0x40000000,
                   kSaResetHand = 0x80000000;

// struct sigaction as rt_sigaction passes it.
struct SignalAction {
    uint32_t handler = kHandlerDefault;
    uint32_t flags = 0;
    uint32_t restorer = 0;
    uint32_t mask_low = 0, mask_high = 0;
    SignalSet mask() const { return mask_low | static_cast<SignalSet>(mask_high) << 32; }
};
static_assert(sizeof(SignalAction) == 20);

// siginfo_t: 128 bytes. Spec: Linux asm-generic/siginfo.h.
struct SignalInfo {
    int32_t number = 0, error = 0, code = 0;
    uint32_t fields[29] = {};
};
static_assert(sizeof(SignalInfo) == 128);
constexpr int kSiUser = 0, kSiKernel = 0x80, kSiQueue = -1, kSiTimer = -2, kSiTkill = -6;
constexpr int kSegvMapErr = 1, kSegvAccErr = 2, kBusAdrErr = 2;
constexpr int kCldExited = 1, kCldKilled = 2, kCldDumped = 3, kCldTrapped = 4, kCldStopped = 5,
              kCldContinued = 6;

// A signal that waits for delivery, with its information.
struct QueuedSignal {
    ~QueuedSignal() {
        if (payer) UserAccount::uncharge(payer->signals, 1);
    }
    ListNode node;
    SignalInfo info;
    Ref<UserAccount> payer;  // the user whose process it waits for
};

// The pending signals of a process or of one thread.
struct PendingSignals {
    SignalSet set = 0;
    List<QueuedSignal, &QueuedSignal::node> queue;
    void clear();
};

struct AlternateStack {  // stack_t
    uint32_t start = 0;
    int32_t flags = 2;  // SS_DISABLE
    uint32_t size = 0;
};

// --- sending. `info.number` is the signal; 0 only checks. None of them sleeps.
SignalInfo signal_from_user(int number, int code = kSiUser);  // with the caller's pid and uid
SignalInfo signal_from_kernel(int number);
// To the process, or to that thread; no permission check. False: RLIMIT_SIGPENDING is reached, or
// memory, and a signal that would have had to queue with what it says is not sent.
bool send_signal(Process& to, const SignalInfo& info) REQUIRES(process_tree);
bool send_signal(UserThread& to, const SignalInfo& info) REQUIRES(process_tree);
// The running thread to itself, as raise(3); SIGKILL to a process. Locks: take process_tree.
void raise_signal(int number);
void kill_process(Process& process);
// A fault of the running program: delivered even if blocked or ignored (then it kills).
void force_signal(const SignalInfo& info);

// These signals' receiver left or blocks them now.
void pass_signals_on(Process& process, SignalSet signals) REQUIRES(process_tree);

// kill(2), tgkill(2): with permission checks. ESRCH, EPERM, EINVAL.
Result<void> kill_processes(int pid, const SignalInfo& info);
Result<void> kill_thread(int tgid, int tid, const SignalInfo& info);
Result<void> send_checked(Process& to, const SignalInfo& info) REQUIRES(process_tree);
void signal_group(int pgid, int number);

void copy_actions(Process& child, const Process& parent);  // fork

// --- the running thread's state
Result<SignalAction> set_action(int number, const SignalAction* action);  // the old one
SignalSet current_mask();
void set_mask(SignalSet mask);
SignalSet pending_signals();
// sigsuspend, ppoll, pselect: `mask` until a handler has run. The caller returns Errno::restart_no_handler.
void set_temporary_mask(SignalSet mask);
void drop_temporary_mask();  // the call succeeded without a signal
// Takes one pending signal of `set`, waiting until `deadline` (0: for ever; 1: don't). EAGAIN, EINTR.
Result<SignalInfo> wait_for_signal(SignalSet set, Nanoseconds deadline);
bool signal_ignored_or_blocked(const Process& process, const UserThread& thread, int number);

// --- delivery, installed as trap_hooks.before_user_return and user_exception
void deliver_signals(TrapFrame& frame);
void user_exception(TrapFrame& frame, VirtAddr fault_address);
// The program dies of this signal, which leaves a core file: whether one was written.
using CoreWriter = bool (*)(const SignalInfo& info);
inline constinit CoreWriter write_core = nullptr;         // of a room above, if there is one
int32_t signal_return(TrapFrame& frame, bool with_info);  // sigreturn, rt_sigreturn: the new eax
