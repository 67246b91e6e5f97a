// Proportional: of m frames, m * size / sum of all sizes.
#pragma once

#include <algorithm>

#include "mm/frame_allocation/policy.hpp"

class ProportionalAllocation : public FrameAllocation {
  public:
    static constexpr std::string_view kName = "proportional";

    uint32_t share(ProgramFrames& program, const AllFrames& all) const override {
        const uint64_t share = all.frames * program.pages / std::max<uint64_t>(all.pages, 1);
        return static_cast<uint32_t>(share);
    }
};
