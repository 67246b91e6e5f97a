// Sessions and terminals: what the TTY driver asks of processes, and what the end of a session
// leader does.
#pragma once

#include "kernel/proc/process.hpp"

void job_control_init();                       // installs drivers/tty.hpp's interface
void session_leader_leaves(Process& process);  // no lock held
[[noreturn]] void init_ended(int status);      // powers off, or stops
void report_to_parent(Process& child, int code, int status);  // process_tree held
void leave_user_memory(UserThread& self, int tid);  // exit and exec: robust list, clear_child_tid
void leave_parents_space(Process& process);         // exec and exit: a parent in vfork goes on
