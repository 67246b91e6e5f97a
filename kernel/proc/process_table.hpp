// The inside of the process table, for kernel/proc only.
#pragma once

#include "kernel/proc/process.hpp"

constexpr int kMaxPid = 32768;             // ids are smaller
int allocate_id() REQUIRES(process_tree);  // a free pid or tid
// 0: any; EEXIST: it is a process, thread, group or session.
Result<int> take_id(int wanted) REQUIRES(process_tree);
int last_id();  // the one that was given out last; a look without the lock
uint64_t new_program_number() REQUIRES(process_tree);  // of what a process runs from now on
// The table keeps a reference; later it is the caller's to drop.
void enter_table(Process& process) REQUIRES(process_tree);
void leave_table(Process& process) REQUIRES(process_tree);
Process* find_process_locked(int pid) REQUIRES(process_tree);
UserThread* find_thread_locked(int tid) REQUIRES(process_tree);
// A thread on its process' list, and off it; both by its id.
void enter_thread(Process& process, UserThread& thread) REQUIRES(process_tree);
void leave_thread(Process& process, UserThread& thread) REQUIRES(process_tree);
List<Process, &Process::all_node>& all_processes() REQUIRES(process_tree);
bool group_is_orphaned(int pgid) REQUIRES(process_tree);

// The process that adopts orphans: pid 1.
extern Process* init_process;
void reparent_children(Process& dying) REQUIRES(process_tree);
bool ignores_children(const Process& parent);

void thread_left(UserThread& thread);  // it no longer counts (thread_limits.hpp)

// For rooms above that keep with a process what fork gives to its child; nobody else sees that yet.
// ENOMEM. process_tree is not held. Hooks are added at start-up only.
struct CopyHook {
    Result<void> (*call)(const Process& parent, Process& child);
    CopyHook* next = nullptr;
};
inline constinit CopyHook* process_copied = nullptr;
inline void add_copy_hook(CopyHook& hook) { hook.next = std::exchange(process_copied, &hook); }
