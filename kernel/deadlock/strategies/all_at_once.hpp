// Prevention, no hold and wait: a request must be the whole claim, made by a party that holds nothing.
#pragma once

#include "kernel/deadlock/strategies/strategy.hpp"

class AllAtOnce : public Strategy {
  public:
    static constexpr std::string_view kName = "all-at-once";

    Answer decide(ResourceTable& table, uint32_t p) const override {
        for (uint32_t t = 0; t < table.types(); ++t)
            if (table.held(p, t) || table.wanted(p, t) != table.max(p, t)) return Answer::refused;
        return if_free(table, p);
    }
};
