// Recovery from deadlock: whom it costs least to break, and how. The cost of a party is what its
// loss destroys: the units that it holds, each by its type's weight, plus one for each grant since
// it joined (its progress), plus 8 for each time that it was a victim before (nobody starves).
// Ties: the lower number. Pure; reduce() has marked the deadlocked ones.
#pragma once

#include "kernel/deadlock/resource_table.hpp"

constexpr uint32_t kCostOfRepetition = 8;

struct Victim {
    uint32_t party = 0;
    bool take_away = false;  // its preemptible units are enough to let a party go on
};

uint32_t recovery_cost(const ResourceTable& table, uint32_t party);
// Among the deadlocked; the cheapest whose preemptible units free a party, else the cheapest.
Victim choose_victim(const ResourceTable& table);
