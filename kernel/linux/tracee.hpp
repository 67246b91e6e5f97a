// Tracing: the debugger's other half. A tracee is a thread that stops where its tracer, a process, wants
// to look; the tracer waits for stops with wait4(), looks and changes with ptrace(), and lets it go on.
//
//      tracer                                         tracee
//      wait4() ............ sleeps                    runs
//                                                     a signal, a call, an event:
//      <--- SIGCHLD, wakes --------------------------  stop(): sleeps in `resumed`
//      wait4() returns its tid and (what << 8 | 0x7f)
//      ptrace(GETREGS, POKETEXT, …)                    (its registers lie on its kernel stack)
//      ptrace(CONT, …, signal) ---- wakes ---------->  goes on, with that signal or none
//
// Invariant: only a stopped tracee is looked into. UserThread::tracer is not 0 just while `tracer` is not
// null. A tracer is a process here: each of its threads may wait and look (on Linux only the one).
// Locks: process_tree guards all of it. A stopped tracee's registers are its tracer's.
// Spec: ptrace(2), Linux i386.
#pragma once

#include "kernel/arch/cpu.hpp"
#include "kernel/proc/process.hpp"

constexpr uint32_t kEventFork = 1, kEventVfork = 2, kEventClone = 3, kEventExec = 4,
                   kEventVforkDone = 5, kEventExit = 6, kEventStop = 128;
// PTRACE_O_*: 1 TRACESYSGOOD, 1 << event, EXITKILL.
constexpr uint32_t kMarkCalls = 1, kKillOnExit = 1u << 20, kAllOptions = 0x7f | kKillOnExit;

enum class CallStop : uint8_t { none, entry, exit };

// A thread that has ended and is not one of the tracer's children; the tracer still waits for it.
struct DeadTracee {
    ListNode node;
    int group = 0;
    WaitOutcome news;
};

struct Tracee final : Attachment {
    static constexpr char kKind = 0;
    explicit Tracee(UserThread& of) : thread(of) {}
    UserThread& thread;
    Process* tracer = nullptr;
    ListNode node;  // in the tracer's list
    uint32_t options = 0;
    bool seized = false;
    // --- how it runs
    bool stops_at_calls = false, stepping = false;
    bool stop_wanted = false;  // PTRACE_INTERRUPT, or it is a new thread of a seized one
    bool goes_on = false;      // though its process is stopped
    // --- its stop
    bool stopped = false, reported = false, listening = false;
    CallStop at_call = CallStop::none;
    int what = 0;  // a signal, with an event << 8
    uint32_t message = 0;
    SignalInfo info{};
    int signal = 0;  // with which it goes on
    WaitQueue resumed;
    // --- of what it is doing
    uint32_t event = 0;  // to report where the call has begun its child
    int exit_status = 0;
    Box<DeadTracee> grave;
    DebugRegisters watched{};
};

struct Tracer final : Attachment {
    static constexpr char kKind = 0;
    ~Tracer() override;
    List<Tracee, &Tracee::node> tracees;
    List<DeadTracee, &DeadTracee::node> dead;
};

Tracee* tracee_of(const UserThread& thread);  // null: it never was one
Ref<Process> kept(Process* const& process);   // may be null. Locks: takes process_tree
// Makes `tracer` the thread's. EPERM: it has one; ENOMEM.
Result<void> begin_tracing(UserThread& thread, Process& tracer, bool seized, uint32_t options);
// With process_tree held.
void end_tracing(Tracee& tracee, int signal);
void resume(Tracee& tracee, bool stops_at_calls, bool steps, int signal);
