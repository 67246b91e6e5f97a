// The list of elevators, in the order in which /proc shows them. A new one is a file in elevators/ and a
// word here (kernel/lib/policy_list.hpp).
#pragma once

#include "drivers/elevators/all.hpp"

using Elevators =
    PolicyList<Elevator, FcfsElevator, SstfElevator, ScanElevator, CscanElevator, LookElevator,
               ClookElevator, NstepElevator, FscanElevator, DeadlineElevator>;
using DefaultElevator = LookElevator;
