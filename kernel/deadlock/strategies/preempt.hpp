// Prevention, no "no preemption": a party that would have to wait gives back what it holds, and waits for
// all of it together.
#pragma once

#include "kernel/deadlock/strategies/strategy.hpp"

class PreemptStrategy : public Strategy {
  public:
    static constexpr std::string_view kName = "preempt";

    Answer decide(ResourceTable& table, uint32_t p) const override {
        if (table.wanted_available(p)) return Answer::granted;
        return table.holds_any(p) ? Answer::gives_back : Answer::unavailable;
    }
};
