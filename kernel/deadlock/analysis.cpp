// See analysis.hpp.
#include "kernel/deadlock/analysis.hpp"

namespace {

// All that is available is free for work, and no party has finished but those that do not exist. How
// many have not.
uint32_t begin(const ResourceTable& table) {
    uint32_t left = 0;
    for (uint32_t t = 0; t < table.types(); ++t) table.work()[t] = table.type(t).available;
    for (uint32_t p = 0; p < table.parties(); ++p) {
        table.finish()[p] = !table.party(p).used;
        left += table.party(p).used;
    }
    return left;
}

// The party finishes, gives back what it holds, and makes any number of what it produces.
void finish(const ResourceTable& table, uint32_t p) {
    for (uint32_t t = 0; t < table.types(); ++t)
        table.work()[t] = table.produces(p, t) ? UINT32_MAX : table.work()[t] + table.held(p, t);
    table.finish()[p] = 1;
}

// Can the party get all that it may still need out of `work`?
// Lab 9.2: stub { return true; }
bool need_fits(const ResourceTable& table, uint32_t p) {
    for (uint32_t t = 0; t < table.types(); ++t)
        if (table.need(p, t) > table.work()[t]) return false;
    return true;
}

// Can the party get what it wants now out of `work`?
// Lab 9.3: stub { return true; }
bool wanted_fits(const ResourceTable& table, uint32_t p) {
    for (uint32_t t = 0; t < table.types(); ++t)
        if (table.wanted(p, t) > table.work()[t]) return false;
    return true;
}

}  // namespace

// Lab 9.2: stub { return begin(table) > 0; }
bool is_safe(const ResourceTable& table, SafetySteps* steps) {
    uint32_t left = begin(table);
    const uint32_t parties = table.parties();
    uint32_t failures = 0;  // parties in a row that could not finish
    for (uint32_t p = 0; left && failures < parties; p = (p + 1) % parties) {
        ++failures;
        if (table.finish()[p] || !need_fits(table, p)) continue;
        if (steps) steps->step(p, table.work());
        finish(table, p);
        --left;
        failures = 0;
    }
    return left == 0;
}

// Lab 9.3: stub { begin(table); return 0; }
uint32_t reduce(const ResourceTable& table) {
    uint32_t left = begin(table);
    for (bool progress = true; progress;) {
        progress = false;
        for (uint32_t p = 0; p < table.parties(); ++p) {
            if (table.finish()[p] || !wanted_fits(table, p)) continue;
            finish(table, p);
            --left;
            progress = true;
        }
    }
    return left;
}
