// The list of page-replacement policies, in the order in which /proc shows them. A new one is a file in
// replacement/ and a word here (kernel/lib/policy_list.hpp).
#pragma once

#include <cstdint>

#include "mm/replacement/all.hpp"

using Replacers =
    PolicyList<ReplacementPolicy, FifoReplacement, LruReplacement, AgeingReplacement,
               LfuReplacement, ClockReplacement, ImprovedClockReplacement, WorkingSetReplacement>;
using DefaultReplacer = ClockReplacement;
// OPT is for laboratories, which know what is to come.
using LabReplacers = Replacers::With<OptReplacement>;

// A set of pages that compete, and the policy that has them.
struct ReplacementSet {
    Replacers policies{};
    uint32_t chosen = Replacers::kIndexOf<DefaultReplacer>;

    ReplacementPolicy& policy() { return policies.at(chosen); }
};
