// Process (PCB): what a program is made of beside its threads: address space, descriptors, names,
// identity, signal actions, limits, its place in the family. UserThread: a thread of a process.
// Locks: process_tree (IrqSpinLock: signals come from interrupts) guards the pid table, parents,
// children, groups, sessions, exit states. `signal_lock` guards actions and pending signals. `fs` is
// used by its own threads only.
#pragma once

#include "fs/user_account.hpp"
#include "fs/vfs.hpp"
#include "kernel/proc/fd_table.hpp"
#include "kernel/proc/limits.hpp"
#include "kernel/proc/signal.hpp"
#include "kernel/sched/clock.hpp"
#include "kernel/sched/thread.hpp"
#include "mm/address_space.hpp"

enum class Life : uint8_t { alive, exiting, zombie };

// setitimer(2): one of ITIMER_REAL's kind.
struct IntervalTimer : Timer {
    Process* process = nullptr;
    Nanoseconds interval{0};
};

class Process : public RefCounted {
  public:
    ~Process() override;

    // --- identity and family (process_tree)
    int pid = 0, pgid = 0, sid = 0;
    Process* parent GUARDED_BY(process_tree) = nullptr;
    Atomic<int> parent_pid = 0;  // the same, readable without the lock
    ListNode sibling;
    List<Process, &Process::sibling> children GUARDED_BY(process_tree);
    ListNode all_node;  // every process, by pid
    Process* hash_next GUARDED_BY(process_tree) = nullptr;
    List<Thread, &Thread::process_node> threads GUARDED_BY(process_tree);
    uint32_t thread_count GUARDED_BY(process_tree) = 0;  // on the list
    Atomic<uint32_t> live_threads = 1;                   // that have not begun to exit
    bool leader_gone GUARDED_BY(process_tree) = false;   // its first thread has ended, others go on
    int leader_status GUARDED_BY(process_tree) = 0;      // ... and with this
    Atomic<bool> exec_pending = false;  // one thread becomes a new program, the others leave
    WaitQueue thread_gone;
    Life life GUARDED_BY(process_tree) = Life::alive;
    int wait_status GUARDED_BY(process_tree) = 0;  // as wait4 reports it
    int stop_signal GUARDED_BY(process_tree) = 0;
    bool stopped = false, stop_unreported = false, continue_unreported = false;
    bool continue_to_report = false;  // SIGCONT resumed it; its sender tells the parent
    bool executed = false;            // since fork: setpgid by the parent is EACCES
    WaitQueue child_change;           // the parent's threads in wait4
    WaitQueue resumed;                // stopped threads
    int exit_signal = kSigChld;
    class Tty* terminal = nullptr;    // the session's controlling terminal
    int lost_foreground = 0;          // a leader's, whose terminal has hung up: the group there
    WaitQueue* vfork_done = nullptr;  // where a parent in vfork waits
    bool is_job = false;              // counts for the degree of multiprogramming
    bool left_parents_space = false;  // has executed a program, or exited

    // --- what it has
    Ref<AddressSpace> space;
    Ref<FdTable> files;
    FsContext fs;
    Path executable;
    Ref<RefCounted> running;  // keeps others from writing to it
    uint64_t program = 0;     // fork and exec give each a new number (process_tree)
    LimitPair limits[limit_count];
    Ref<UserAccount> account;  // of its real user (process_tree)
    uint32_t arguments_start = 0, arguments_end = 0, environment_start = 0, environment_end = 0;
    uint32_t auxiliary_start = 0;  // the auxiliary vector, on the stack
    uint32_t personality = 0;

    // --- what prctl(2) sets
    uint8_t death_signal = 0;        // when its parent ends; 0: none
    bool subreaper = false;          // orphans among its descendants become its children
    bool no_new_privileges = false;  // programs' set-id bits mean nothing
    bool dumpable = true;
    // Thousandths of memory that count for it besides, and the lowest that its user may set.
    Atomic<int32_t> out_of_memory_bias = 0, lowest_bias = 0;

    // --- signals (signal_lock)
    mutable IrqSpinLock signal_lock{LockRank::process};
    SignalAction actions[kSignals] GUARDED_BY(signal_lock);
    PendingSignals pending GUARDED_BY(signal_lock);
    IntervalTimer real_timer;
    Attachments attached;
    bool group_exit = false;  // exit_group or a fatal signal: all threads leave
    int group_exit_status = 0;

    // --- accounting (process_tree)
    Nanoseconds start_time{0};
    CpuTimes dead_threads GUARDED_BY(process_tree), dead_children GUARDED_BY(process_tree),
        dead_leader GUARDED_BY(process_tree);
    const char* name() const;  // of its first thread; a look without the lock
    char last_name[16] = {};   // after that is gone
    // Of all its threads, living and dead; of the children that it waited for. Locks: takes process_tree.
    CpuTimes times() const, children_times() const;
    uint32_t resident_limit() const { return limits[limit_rss].soft; }
    uint32_t fd_limit() const { return limits[limit_nofile].soft; }
};

class UserThread final : public Thread {
  public:
    UserThread* hash_next = nullptr;  // in the table of threads (process_tree)
    SignalSet blocked = 0;
    SignalSet blocked_in_wait = 0;  // sigwait: what it blocked before, and so does not ignore
    SignalSet saved_mask = 0;
    uint32_t fault_address = 0;  // CR2 of the last page fault that became a signal
    int forced_signal = 0;       // a fault's, not yet delivered
    bool mask_saved = false;     // sigsuspend: restore saved_mask after the handler
    PendingSignals pending;
    AlternateStack alternate_stack;
    uint32_t set_child_tid = 0;       // user address: gets the tid when the thread starts
    uint32_t clear_child_tid = 0;     // user address: zeroed and futex-woken at exit
    Nanoseconds restart_deadline{0};  // of an interrupted relative sleep
    uint32_t timer_slack = 50'000, default_slack = 50'000, io_priority = 0;  // remembered
    Attachments attached;
    Atomic<int> tracer = 0;            // the process that debugs it; 0: none
    bool tracer_is_superuser = false;  // else set-id bits mean nothing
    Ref<Process> owner;                // keeps `process` alive
    Ref<UserAccount> payer;            // in which it counts as a thread (process_tree)
};

// For rooms above. A program ends when its process exits or executes another one.
inline constinit HookList<Process&> process_ended;  // its status is set; process_tree is held
inline constinit HookList<Process&> program_ends;
inline constinit HookList<UserThread&, int /*tid*/> thread_leaves_program;
inline constinit HookList<Process&> signal_added;                     // signal_lock is held
inline constinit HookList<Process&, const SignalInfo&> signal_taken;  // signal_lock is held

// Its threads count among that user's from now on. Without memory they go on counting where they do.
void change_account(Process& process, uint32_t uid);
inline Process& current_process() { return *Thread::current().process; }
inline UserThread& current_thread() { return static_cast<UserThread&>(Thread::current()); }

// --- the table of processes. Locks: takes process_tree.
Ref<Process> find_process(int pid);       // null if there is none
bool is_alive(const Process& process);    // neither exiting nor a zombie
Ref<Process> next_process(int from_pid);  // the one with the smallest pid >= from_pid
Ref<UserThread> find_thread(int tid);
// As system calls name them: 0 is the caller. ESRCH if there is none.
Result<Ref<Process>> process_named(int pid);
Result<Ref<UserThread>> thread_named(int tid);

// --- who may do what to another process (access.cpp)

// All ids of `other` are these, or the caller is the superuser.
bool may_manage_all(const Credentials& other, uint32_t uid, uint32_t gid);
// Linux's ptrace access check for reading, with these ids of the caller's.
bool may_inspect(const Process& other, uint32_t uid, uint32_t gid);

// --- life (fork.cpp, exec.cpp, exit.cpp, wait.cpp)
struct CloneArguments {  // clone(2)
    uint32_t flags = 0;
    uint32_t stack = 0;
    uint32_t parent_tid = 0, child_tid = 0;
    uint32_t tls = 0;  // user address of a struct user_desc
    void (*made)(const CloneArguments&,
                 UserThread& child) = nullptr;  // not seen yet; `tid`, if set, is asked for
};
Result<int> clone_process(const TrapFrame& frame, const CloneArguments& arguments);
// For the room that has debuggers' calls, if there is one. What a thread that has a tracer does there.
struct WaitOutcome;
struct TracingHooks {
    // Stops where it is asked to. True: it goes on though its process is stopped.
    bool (*before_signals)() = nullptr;
    // A signal is to be acted upon; another one may be. False: none.
    bool (*signal)(SignalInfo& info, SignalAction& action) = nullptr;
    void (*child_made)(UserThread& child, uint32_t clone_flags) = nullptr;
    void (*child_started)() = nullptr;
    // For a tracer that waits; process_tree is held. Whether there is news, and whom it could be of.
    bool (*news)(int pid, uint32_t options, WaitOutcome& news, bool& any) = nullptr;
};
inline constinit TracingHooks tracing_hooks{};
constexpr const char* kTracedWait = "traced";  // why it sleeps when its tracer has it

// Arguments are in user memory. On success the current thread's frame is the new program's.
// An empty name is `base` itself; `shown` is what the program is told as its name.
Result<void> execute(const Path& base, std::string_view name, UserPtr<uint32_t> arguments,
                     UserPtr<uint32_t> environment, std::string_view shown);
[[noreturn]] void exit_current_thread(int status);
[[noreturn]] void exit_group(int status);  // wait status: code << 8, or the signal's number

struct WaitOutcome {
    int pid = 0;
    int status = 0;
    int signal_code = 0;  // CLD_*
    uint32_t uid = 0;
    CpuTimes times;
};
// waitpid's `pid` selects: > 0 that one, 0 own group, -1 any, < -1 that group. Options WNOHANG 1,
// WUNTRACED 2, WEXITED 4, WCONTINUED 8, WNOWAIT 0x01000000. pid 0 in the outcome: nothing yet.
Result<WaitOutcome> wait_for_child(int pid, uint32_t options);

Result<void> set_process_group(int pid, int pgid);
Result<int> create_session();

// For the running thread only: the old space may be freed after that.
void use_address_space(Thread& self, AddressSpace& space);
void use_kernel_address_space(Thread& self);

// The first process: runs `/sbin/init` (or the init= option) on the mounted root. Never returns.
[[noreturn]] void run_init();
void processes_init();  // installs the hooks of the rooms below
