// The lists of load controls and frame allocations, in the order in which /proc shows them. A new one
// is a file in load_control/ or frame_allocation/, and a word here (kernel/lib/policy_list.hpp).
#pragma once

#include "mm/frame_allocation/all.hpp"
#include "mm/load_control/all.hpp"

using LoadControls =
    PolicyList<LoadControl, NoLoadControl, LsLoadControl, PffLoadControl, WsLoadControl>;
using DefaultLoadControl = NoLoadControl;

using FrameAllocations =
    PolicyList<FrameAllocation, EqualAllocation, ProportionalAllocation, VariableAllocation>;
using DefaultFrameAllocation = ProportionalAllocation;
