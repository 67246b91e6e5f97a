// Page-fault frequency: too many when a program's faults come faster than an upper bound; room when
// those of all are below a lower bound.
// Spec: Chu, Opderbeck, The page fault frequency replacement algorithm (1972).
#pragma once

#include "mm/load_control/policy.hpp"

class PffLoadControl : public LoadControl {
  public:
    static constexpr std::string_view kName = "pff";
    struct Tunables {
        Tunable upper{.name = "pff_upper",
                      .meaning = "faults of one program in 250 ms: more are too many",
                      .values = {50}};
        Tunable lower{.name = "pff_lower",
                      .meaning = "faults of one program in 250 ms: fewer leave room",
                      .values = {10}};
    } tunables;

    LoadJudgement judge(const PagingLoad& load) const override {
        return {.too_many = load.fastest > tunables.upper.value(),
                .room = load.fastest < tunables.lower.value()};
    }
};
