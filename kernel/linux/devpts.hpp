// The table of pseudo-terminals, and what is known of each beside its two ends.
// Locks: none held; takes the table's.
#pragma once

#include "kernel/lib/ref.hpp"
#include "kernel/linux/pseudo_terminal.hpp"

// The free one with the smallest number, its master open; its name belongs to `owner` (fsuid, fsgid).
// ENOSPC: there are as many as may be; ENOMEM.
Result<PseudoTerminal*> take_pseudo_terminal(const Credentials& owner);
void release_pseudo_terminal(PseudoTerminal& terminal);  // its master closes
PseudoTerminal* next_pseudo_terminal(uint32_t from);  // with a master, number >= from; null: none
uint32_t pseudo_terminal_count();
extern Atomic<uint32_t> pseudo_terminals_most;  // /proc/sys/kernel/pty/max

Attributes name_attributes(PseudoTerminal& terminal);
void set_name_attributes(PseudoTerminal& terminal, const struct SetAttributes& changes);

// Of devpts' mount: what names of terminals made later are like.
struct NameOptions {
    uint32_t mode = 0600;
    bool set_uid = false, set_gid = false;  // else the opener's
    uint32_t uid = 0, gid = 0;
    uint32_t ptmx_mode = 0;
};
void set_name_options(const NameOptions& options);
NameOptions name_options();

// The name of this terminal in devpts, as a node of its own.
Result<Ref<class Inode>> node_of_terminal(PseudoTerminal& terminal);
