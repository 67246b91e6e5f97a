// Frame allocation: how many pages of its own each space may have in memory.
//   scope global       as many as it gets: all compete in one pool
//   scope local        it replaces its own pages, and has so many frames:
//     equal            m / n
//     proportional     m * size / sum of sizes, a space's size being what it has in memory and swap
//     variable         its working set; more while its faults come fast (page-fault frequency)
// RLIMIT_RSS binds in any scope. Who has more waits for a round of reclaim before it gets another.
// Locks: PagingState's fields are the reclaim thread's.
#pragma once

#include <cstdint>
#include <string_view>

class AddressSpace;
class TextSink;

bool choose_replacement_scope(std::string_view name);  // false: no such one
void show_replacement_scope(TextSink& to);
bool choose_allocation(std::string_view name);
void show_allocation(TextSink& to);
// RLIMIT_RSS: obeyed from now on.
void set_limit_resident(AddressSpace& space, uint32_t bytes);

// --- for the reclaim thread
bool allocate_frames_to_spaces();  // sets frames_most; true: somebody has more
uint32_t evict_excess();           // how many frames are free by it
