// The inside of the process table, for kernel/proc only.
// Locks: the caller holds process_tree for everything here.
#pragma once

#include "kernel/proc/process.hpp"

constexpr int kMaxPid = 32768;       // ids are smaller
int allocate_id();                   // a free pid or tid
Result<int> take_id(int wanted);     // 0: any; EEXIST: it is a process, thread, group or session
int last_id();                       // the one that was given out last; any lock or none
uint64_t new_program_number();       // of what a process runs from now on
void enter_table(Process& process);  // the table keeps a reference
void leave_table(Process& process);  // that reference is now the caller's to drop
Process* find_process_locked(int pid);
UserThread* find_thread_locked(int tid);
// A thread on its process' list, and off it; both by its id.
void enter_thread(Process& process, UserThread& thread);
void leave_thread(Process& process, UserThread& thread);
List<Process, &Process::all_node>& all_processes();
bool group_is_orphaned(int pgid);

// The process that adopts orphans: pid 1.
extern Process* init_process;
void reparent_children(Process& dying);
bool ignores_children(const Process& parent);

void thread_left(UserThread& thread);  // it no longer counts (thread_limits.hpp)

// For the room above that keeps with a process what fork gives to its child; nobody else sees that yet.
// ENOMEM. process_tree is not held.
using ProcessCopied = Result<void> (*)(const Process& parent, Process& child);
inline constinit ProcessCopied process_copied = nullptr;
