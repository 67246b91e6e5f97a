// Load control: when all programs' paging together keeps them from computing, one is suspended
// and its pages go to swap, so that the others' working sets fit; later it takes its turn again.
// Every window (250 ms) one of these says whether there are too many (twice in a row: act), or room:
//   ls   L < S: the mean time between two faults is less than the mean time to serve one, that is,
//        more than one program waits for pages at any time. Room: L > 2 S.
//   pff  a program's faults come faster than an upper bound; room: all below the lower bound.
//   ws   the sum of working sets is larger than the frames; room: with one more set it isn't.
// Suspended is who has been active longest. Nobody starves: after a turn the one that has been
// suspended longest comes back, and another goes.
// Locks: none; all is the reclaim thread's. Spec: Denning, Working sets past and present (1980).
#pragma once

#include <cstdint>
#include <string_view>

class AddressSpace;
class TextSink;

bool choose_load_control(std::string_view name);  // off ls pff ws; false: no such one
void show_load_control(TextSink& to);

// kernel/proc: suspends or resumes all threads of the space. False: they may not be.
extern bool (*suspend_space_hook)(AddressSpace& space, bool suspended);

void load_control_step();  // by the reclaim thread, often
bool load_control_due();   // it should be woken for a step

struct LoadCounts {
    uint32_t suspended, resumed;  // since boot
    uint32_t waiting_permille;    // time that programs waited for pages in the last window
};
extern LoadCounts load_counts;
