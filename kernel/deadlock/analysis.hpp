// The two algorithms on a ResourceTable. Safety: is there an order in which every party can get all
// that it may still need and finish? Reduction: who cannot go on, whatever the others release, as
// things stand (the allocation graph cannot be reduced by them)? Both O(parties² · types).
// A party that goes on may make any number of the consumable units that it produces, and each that
// waits for such units is given all there are: so none is called deadlocked that might go on.
// Pure; use the table's scratch space. Spec: Silberschatz et al., Operating System Concepts, 8.6-8.7.
#pragma once

#include "kernel/deadlock/resource_table.hpp"

// A step of the safety algorithm: before it, `work` is free; the party can finish, and gives back.
class SafetySteps {
  public:
    virtual void step(uint32_t party, std::span<const Units> work_before) = 0;

  protected:
    ~SafetySteps() = default;
};

// Parties are tried in the order of their numbers, going on after the one found last. Idle parties
// without claims count too, as they trivially finish; `steps` is told of each.
bool is_safe(const ResourceTable& table, SafetySteps* steps = nullptr);

// After it, finish()[p] is 0 for the parties that are deadlocked. Returns how many.
uint32_t reduce(const ResourceTable& table);
