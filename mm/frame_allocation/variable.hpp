// Variable: a program's working set and a quarter more; an eighth more in each round while its faults
// come fast, a sixteenth less in each round while they do not (page-fault frequency).
#pragma once

#include <algorithm>

#include "mm/frame_allocation/policy.hpp"

class VariableAllocation : public FrameAllocation {
  public:
    static constexpr std::string_view kName = "variable";
    struct Tunables {
        Tunable fast{.name = "frame_allocation_fast",
                     .meaning = "variable: faults of a program in 250 ms that get it more frames",
                     .values = {20}};
    } tunables;

    uint32_t share(ProgramFrames& program, const AllFrames& all) const override {
        uint32_t& granted = program.slot.as<Grant>().frames;
        const uint32_t set = program.working_set + program.working_set / 4;
        const uint32_t now = std::max(granted, set);
        granted = program.faults > tunables.fast.value()
                      ? std::min(now + now / 8 + kStep, all.frames)
                      : std::max(set, now - now / 16);
        return granted;
    }

  private:
    static constexpr uint32_t kStep =
        16;  // frames more at least, so that a small program grows too
    struct Grant {
        uint32_t frames = 0;
    };
};
