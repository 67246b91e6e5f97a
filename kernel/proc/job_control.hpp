// Sessions and terminals: what the TTY driver asks of processes, and what the end of a session
// leader does.
#pragma once

#include "kernel/proc/process.hpp"

void job_control_init();                            // installs drivers/tty.hpp's interface
void session_leader_leaves(Process& process);       // no lock held
[[noreturn]] void init_ended(int status);           // powers off, or stops
void leave_user_memory(UserThread& self, int tid);  // exit and exec: clear_child_tid
void leave_parents_space(Process& process);         // exec and exit: a parent in vfork goes on

// --- wait.cpp
int signal_code_of(int status);  // CLD_*
SignalInfo child_information(const Process& child, int code, int status);
// It stopped or continued.
void report_to_parent(Process& child, int code, int status) REQUIRES(process_tree);
// The zombie's last traces; its table reference goes to the caller.
void unlink_zombie(Process& zombie) REQUIRES(process_tree);
