// No strategy: what is free is granted, and a deadlock is a deadlock.
#pragma once

#include "kernel/deadlock/strategies/strategy.hpp"

class NoStrategy : public Strategy {
  public:
    static constexpr std::string_view kName = "none";

    Answer decide(ResourceTable& table, uint32_t p) const override { return if_free(table, p); }
};
