// Pages that compete for frames, and the policy that has them. The list of policies is replacers.hpp's.
// Locks: swap_lock (swap.hpp).
#pragma once

class ReplacementPolicy;
struct Replacers;

struct ReplacementSet {
    Replacers* policies = nullptr;
    ReplacementPolicy* policy = nullptr;  // the chosen one of these
};
