// The wait-for graph of what the kernel itself sees: an edge for each process that waits for
// another (fs/wait_edges.hpp). Everything in it has one unit, so a cycle is a deadlock.
// Locks: none of its own; each source takes its own while it tells.
#pragma once

#include "kernel/lib/format.hpp"

void show_wait_graph(TextSink& to);  // "waits A for B: file lock 12", "cycle A B"
void draw_wait_graph(TextSink& to);  // edges in DOT
