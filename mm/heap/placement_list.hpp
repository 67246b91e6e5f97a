// The list of placements of a heap, in the order in which /proc shows them. A new one is a file in
// placements/ and a word here (kernel/lib/policy_list.hpp).
#pragma once

#include "mm/heap/placements/all.hpp"

using Placements = PolicyList<Placement, FirstFit, NextFit, BestFit, WorstFit, QuickFit, BuddyHeap>;
