// The wait-for graph of what the kernel itself sees: an edge for each process that waits for
// another (fs/wait_edges.hpp). Everything in it has one unit, so a cycle is a deadlock.
// Locks: none of its own; each source takes its own while it tells.
#pragma once

#include "kernel/lib/format.hpp"

void show_wait_graph(TextSink& to);  // "waits 7 for 8: file lock 12 (in a cycle)"
void draw_wait_graph(TextSink& to);  // edges in DOT
// Ends the process in a cycle that it costs least to lose: the one for which the fewest wait, of
// several the youngest. Those waiting for it go on when what it held is given back (SEM_UNDO, file
// locks, robust futexes). One a call: the cure takes time. Whether there was a cycle.
bool break_wait_cycle();
