// Recovery from deadlock: which party is broken, and how. The rules that may choose it:
//   cost      the cheapest: the units that it holds, each by its type's weight, plus one for each grant
//             since it joined (its progress), plus 8 for each time that it was a victim (none starves)
//   priority  the lowest priority (the highest nice value of the process)
//   size      the one that holds the fewest units
//   age       the one that joined last
// Ties: the lower number. Pure; reduce() has marked the deadlocked ones.
#pragma once

#include "kernel/deadlock/resource_table.hpp"

constexpr uint32_t kCostOfRepetition = 8;

enum class VictimRule : uint8_t { cost, priority, size, age };
constexpr std::string_view kVictimRules[] = {"cost", "priority", "size", "age"};

struct Victim {
    uint32_t party = 0;
    bool take_away = false;  // its preemptible units are enough to let another go on
    uint32_t cost = 0;       // by the rule: it has the least
};

uint32_t recovery_cost(const ResourceTable& table, uint32_t party);
// Among the deadlocked: first those whose preemptible units let another go on.
Victim choose_victim(const ResourceTable& table, VictimRule rule = VictimRule::cost);
