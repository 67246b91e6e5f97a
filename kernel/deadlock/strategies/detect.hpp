// Detection: what is free is granted; deadlocks are looked for, and recovered from (recovery.hpp).
#pragma once

#include "kernel/deadlock/strategies/strategy.hpp"

class DetectStrategy : public Strategy {
  public:
    static constexpr std::string_view kName = "detect";

    Answer decide(ResourceTable& table, uint32_t p) const override { return if_free(table, p); }
    bool detects() const override { return true; }
};
