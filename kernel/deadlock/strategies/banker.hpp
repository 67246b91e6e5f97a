// Avoidance, the banker's algorithm: a request is granted only if the state after it is safe, that is,
// if all parties can still get the whole of their claims in some order.
// Spec: Dijkstra, EWD 123, "Co-operating Sequential Processes", section 6.
#pragma once

#include "kernel/deadlock/analysis.hpp"
#include "kernel/deadlock/strategies/strategy.hpp"

class Banker : public Strategy {
  public:
    static constexpr std::string_view kName = "banker";

    // More than the rest of the claim is refused.
    // Lab 9.2: stub { return if_free(table, p); }
    Answer decide(ResourceTable& table, uint32_t p) const override {
        for (uint32_t t = 0; t < table.types(); ++t)
            if (table.wanted(p, t) > table.need(p, t)) return Answer::refused;
        if (!table.wanted_available(p)) return Answer::unavailable;
        table.try_grant(p);
        const bool safe = is_safe(table);
        table.undo_grant(p);
        return safe ? Answer::granted : Answer::unsafe;
    }
};
