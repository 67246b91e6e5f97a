// Equal: m frames among n programs, m / n for each.
#pragma once

#include <algorithm>

#include "mm/frame_allocation/policy.hpp"

class EqualAllocation : public FrameAllocation {
  public:
    static constexpr std::string_view kName = "equal";

    uint32_t share(ProgramFrames&, const AllFrames& all) const override {
        return all.frames / std::max(all.programs, 1u);
    }
};
