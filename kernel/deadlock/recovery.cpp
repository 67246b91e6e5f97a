// See recovery.hpp.
#include "kernel/deadlock/recovery.hpp"

namespace {

// Whether some other deadlocked party could go on with p's preemptible units.
bool taking_helps(const ResourceTable& table, uint32_t p) {
    for (uint32_t other = 0; other < table.parties(); ++other) {
        if (other == p || table.finish()[other]) continue;
        bool enough = true;
        for (uint32_t t = 0; t < table.types(); ++t) {
            const ResourceTable::Type& type = table.type(t);
            Units free = type.available + (type.preemptible ? table.held(p, t) : 0);
            enough &= table.wanted(other, t) <= free;
        }
        if (enough) return true;
    }
    return false;
}

uint32_t cost_by(VictimRule rule, const ResourceTable& table, uint32_t p) {
    constexpr int kHighestNice = 19;
    uint32_t units = 0;
    switch (rule) {
        case VictimRule::cost: return recovery_cost(table, p);
        case VictimRule::priority: return static_cast<uint32_t>(kHighestNice - table.party(p).nice);
        case VictimRule::size:
            for (uint32_t t = 0; t < table.types(); ++t) units += table.held(p, t);
            return units;
        case VictimRule::age: return static_cast<uint32_t>(table.joined() - table.party(p).joined);
    }
    return 0;
}

}  // namespace

// Lab 9.4: stub { return 0; }
uint32_t recovery_cost(const ResourceTable& table, uint32_t p) {
    uint32_t cost = table.party(p).grants + table.party(p).times_victim * kCostOfRepetition;
    for (uint32_t t = 0; t < table.types(); ++t) cost += table.held(p, t) * table.type(t).weight;
    return cost;
}

// Lab 9.4: stub { for (uint32_t p = 0;; ++p) if (!table.finish()[p]) return {p}; }
Victim choose_victim(const ResourceTable& table, VictimRule rule) {
    Victim best;
    uint32_t best_cost = UINT32_MAX;
    for (uint32_t p = 0; p < table.parties(); ++p) {
        if (table.finish()[p]) continue;
        const bool take = taking_helps(table, p);
        const uint32_t cost = cost_by(rule, table, p);
        if (best_cost != UINT32_MAX && (take != best.take_away ? !take : cost >= best_cost))
            continue;
        best = {p, take, cost};
        best_cost = cost;
    }
    return best;
}
