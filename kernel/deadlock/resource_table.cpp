// See resource_table.hpp.
#include "kernel/deadlock/resource_table.hpp"

Result<uint32_t> ResourceTable::add_type(std::string_view name, Units total, bool preemptible,
                                         uint32_t weight, bool consumable) {
    uint32_t t = 0;
    while (t < types() && types_[t].used) ++t;
    if (t == types()) {
        TRY(work_.resize(t + 1));
        for (Vector<Cell>& row : rows_) TRY(row.resize(t + 1));
        TRY(types_.resize(t + 1));
    }
    Type& fresh = types_[t];
    fresh = Type{};
    name.copy(fresh.name, sizeof fresh.name - 1);
    fresh.total = fresh.available = total;
    fresh.preemptible = preemptible;
    fresh.consumable = consumable;
    fresh.weight = weight;
    fresh.used = true;
    return t;
}

Result<uint32_t> ResourceTable::add_party() {
    uint32_t p = 0;
    while (p < parties() && parties_[p].used) ++p;
    if (p == parties()) {
        TRY(finish_.resize(p + 1));
        TRY(rows_.resize(p + 1));
        TRY(parties_.resize(p + 1));
    }
    TRY(rows_[p].resize(types()));
    for (Cell& cell : rows_[p]) cell = {};
    parties_[p] = {.used = true, .joined = ++joined_};
    return p;
}

void ResourceTable::remove_party(uint32_t p) {
    for (uint32_t t = 0; t < types(); ++t) {
        types_[t].available += cell(p, t).held;
        cell(p, t) = {};
    }
    parties_[p] = {};
}

bool ResourceTable::holds_any(uint32_t p) const {
    for (uint32_t t = 0; t < types(); ++t)
        if (held(p, t)) return true;
    return false;
}

bool ResourceTable::takes_part(uint32_t p) const {
    for (uint32_t t = 0; t < types(); ++t) {
        const Cell& c = cell(p, t);
        if (c.max || c.held || c.wanted || c.produces) return true;
    }
    return false;
}

bool ResourceTable::wants_consumables(uint32_t p) const {
    for (uint32_t t = 0; t < types(); ++t)
        if (types_[t].consumable && wanted(p, t)) return true;
    return false;
}

void ResourceTable::produce(uint32_t p, uint32_t t, Units units) {
    cell(p, t).produces = true;
    types_[t].available += units;
    types_[t].total += units;
}

void ResourceTable::clear_wanted(uint32_t p) {
    for (uint32_t t = 0; t < types(); ++t) cell(p, t).wanted = 0;
    parties_[p].waits = false;
}

bool ResourceTable::wants_any(uint32_t p) const {
    for (uint32_t t = 0; t < types(); ++t)
        if (wanted(p, t)) return true;
    return false;
}

bool ResourceTable::wanted_available(uint32_t p) const {
    for (uint32_t t = 0; t < types(); ++t)
        if (wanted(p, t) > types_[t].available) return false;
    return true;
}

void ResourceTable::shift(uint32_t p, bool back) {
    for (uint32_t t = 0; t < types(); ++t) {
        const Units units = cell(p, t).wanted;
        if (!types_[t].consumable) cell(p, t).held += back ? 0 - units : units;
        types_[t].available += back ? units : 0 - units;
    }
}

void ResourceTable::grant(uint32_t p) {
    VERIFY(wanted_available(p));
    try_grant(p);
    for (uint32_t t = 0; t < types(); ++t) {
        Cell& c = cell(p, t);
        if (c.held > c.max) c.max = c.held;  // a party without a claim claims as it goes
    }
    clear_wanted(p);
    ++parties_[p].grants;
}

void ResourceTable::take_back(uint32_t p, uint32_t t, Units units) {
    VERIFY(units <= held(p, t));
    cell(p, t).held -= units;
    types_[t].available += units;
}
