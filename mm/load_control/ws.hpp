// Working sets: too many when the sum of all working sets is larger than the frames that there are,
// and programs do page; room when with one more set it is not.
// Spec: Denning, The working set model for program behavior (1968).
#pragma once

#include <algorithm>

#include "mm/load_control/policy.hpp"

class WsLoadControl : public LoadControl {
  public:
    static constexpr std::string_view kName = "ws";
    static constexpr uint32_t kPages = 10;  // faults in a window that show that programs do page

    // Lab 12.8: stub { return {.too_many = false, .room = load.frames > 0}; }
    LoadJudgement judge(const PagingLoad& load) const override {
        const uint32_t usable = load.frames - std::min(load.frames, load.reserve);
        return {.too_many = load.working_sets > usable && load.fastest > kPages,
                .room = load.working_sets + load.next_set <= usable};
    }
};
