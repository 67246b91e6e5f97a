// The list of strategies, in the order in which /proc shows them. A new one is a file in strategies/ and
// a word here (kernel/lib/policy_list.hpp).
#pragma once

#include "kernel/deadlock/strategies/all.hpp"

struct Strategies : PolicyList<Strategy, NoStrategy, AllAtOnce, ReleaseFirst, PreemptStrategy,
                               OrderedStrategy, Banker, DetectStrategy> {};
using DefaultStrategy = NoStrategy;
