// Prevention, no circular wait: types are numbered, and a party may ask only for types with numbers above
// all that it holds.
#pragma once

#include "kernel/deadlock/strategies/strategy.hpp"

class OrderedStrategy : public Strategy {
  public:
    static constexpr std::string_view kName = "ordered";

    // Refused if it asks for a type that is not above all that it holds; else it gets what is free.
    // Lab 9.1: stub { return if_free(table, p); }
    Answer decide(ResourceTable& table, uint32_t p) const override {
        bool wanted_below = false;
        for (uint32_t t = 0; t < table.types(); ++t) {
            if (table.wanted(p, t)) wanted_below = true;
            if (table.held(p, t) && wanted_below) return Answer::refused;
        }
        return if_free(table, p);
    }
};
