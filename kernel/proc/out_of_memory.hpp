// When no frame can be had even by waiting, one process ends so that the others go on: of the user
// whose programs have the most together, the one with the most pages in memory, in swap and in page
// tables; of equals, the younger. Never init. A process' bias (/proc/PID/oom_score_adj, proc(5)) counts
// as so many thousandths of the memory besides; with the lowest one it is never chosen. Until the
// chosen one is gone, there is no second one.
// Locks: takes process_tree and address spaces' locks, one after the other.
#pragma once

#include <cstdint>

class Process;

constexpr int32_t kMostBias = 1000;

// 0 .. 2000: thousandths of the memory that the process alone has, with its bias. Spec: proc(5).
uint32_t out_of_memory_score(Process& process);

// The current thread found no memory. True: another process gives way, so it may try again.
bool make_room_for_current();
