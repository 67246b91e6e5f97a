// FrameAllocation: how many frames a program may have, where each replaces its own pages (a local
// scope). Asked for each program in every round of reclaim. Pure.
#pragma once

#include <cstdint>

#include "kernel/lib/policy_list.hpp"
#include "kernel/lib/policy_slot.hpp"

// One program.
struct ProgramFrames {
    uint64_t pages = 0;        // its own, in memory and in swap
    uint32_t working_set = 0;  // pages
    uint32_t faults = 0;       // in the last window of load control
    PolicySlot<4>& slot;       // what the policy in charge keeps about it; zeros at first
};
// All that compete.
struct AllFrames {
    uint32_t programs = 0;
    uint32_t frames = 0;  // that their pages have or could have
    uint64_t pages = 0;   // the sum of theirs
};

class FrameAllocation {
  public:
    virtual std::string_view name() const = 0;
    virtual uint32_t share(ProgramFrames& program, const AllFrames& all) const = 0;

  protected:
    ~FrameAllocation() = default;
};
