// Prevention, no hold and wait: a party that holds something must release it before it asks for more.
#pragma once

#include "kernel/deadlock/strategies/strategy.hpp"

class ReleaseFirst : public Strategy {
  public:
    static constexpr std::string_view kName = "release-first";

    Answer decide(ResourceTable& table, uint32_t p) const override {
        return table.holds_any(p) ? Answer::refused : if_free(table, p);
    }
};
