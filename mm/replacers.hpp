// The list of page-replacement policies, in the order in which /proc shows them. A new one is a file in
// replacement/ and a word here (kernel/lib/policy_list.hpp).
#pragma once

#include <cstdint>

#include "mm/replacement/all.hpp"

struct Replacers : PolicyList<ReplacementPolicy, FifoReplacement, LruReplacement, AgeingReplacement,
                              LfuReplacement, ClockReplacement, ImprovedClockReplacement,
                              WorkingSetReplacement> {};
using DefaultReplacer = ClockReplacement;
// OPT is for laboratories, which know what is to come.
struct LabReplacers : Replacers::With<OptReplacement> {};
