// /proc/sys/vm: the policies of memory and their tunables.
#include "fs/proc/policy_file.hpp"
#include "mm/frame_allocation.hpp"
#include "mm/heap.hpp"
#include "mm/load_control.hpp"
#include "mm/replacers.hpp"
#include "mm/tracked_frames.hpp"

namespace {

constexpr ProcEntry kMemoryPolicies[] = {
    policy_file<kHeapChoice>("heap"),
    policy_file<kReplacementChoice>("replacement"),
    policy_file<kScopeChoice>("replacement_scope"),
    policy_file<kFrameAllocationChoice>("frame_allocation"),
    policy_file<kLoadControlChoice>("load_control"),
    policy_file<kLoadVictimChoice>("load_victim"),
    {.name = "tunables",
     .show =
         [](TextSink& to) {
             for (const PolicyChoice* choice :
                  {&kReplacementChoice, &kFrameAllocationChoice, &kLoadControlChoice})
                 choice->show_tunables(to);
         }},
};
PROC_FILES(proc_sys_vm, kMemoryPolicies);

constexpr auto kReplacementTunables = tunable_files<kReplacementChoice, kTunablesOf<Replacers>>();
PROC_FILES(proc_sys_vm, kReplacementTunables);
constexpr auto kAllocationTunables =
    tunable_files<kFrameAllocationChoice, kTunablesOf<FrameAllocations>>();
PROC_FILES(proc_sys_vm, kAllocationTunables);
constexpr auto kLoadTunables = tunable_files<kLoadControlChoice, kTunablesOf<LoadControls>>();
PROC_FILES(proc_sys_vm, kLoadTunables);

}  // namespace
