// L = S: the mean time L between two page faults should be about the mean time S that one takes to be
// served. L < S means that more than one program waits for pages at any time: too many. Room: L > 2 S.
// Spec: Denning, Working sets past and present (1980).
#pragma once

#include "mm/load_control/policy.hpp"

class LsLoadControl : public LoadControl {
  public:
    static constexpr std::string_view kName = "ls";

    // Lab 12.8: stub { return {.too_many = false, .room = load.waiting_permille < 5000}; }
    LoadJudgement judge(const PagingLoad& load) const override {
        return {.too_many = load.waiting_permille > 1000, .room = load.waiting_permille < 500};
    }
};
