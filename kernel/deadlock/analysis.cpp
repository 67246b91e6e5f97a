// See analysis.hpp.
#include "kernel/deadlock/analysis.hpp"

namespace {

// Marks everyone finished that can, given `asks(p, t)`, in cyclic order; how many are left.
template <typename Asks, typename Found>
uint32_t finish_all(const ResourceTable& table, Asks&& asks, Found&& found) {
    std::span<Units> work = table.work();
    std::span<uint8_t> finish = table.finish();
    const uint32_t parties = table.parties(), types = table.types();
    uint32_t left = 0;
    for (uint32_t t = 0; t < types; ++t) work[t] = table.type(t).available;
    for (uint32_t p = 0; p < parties; ++p) left += !(finish[p] = !table.party(p).used);
    auto fits = [&](uint32_t p) {
        for (uint32_t t = 0; t < types; ++t)
            if (asks(p, t) > work[t]) return false;
        return true;
    };
    for (uint32_t p = 0, failures = 0; left && failures < parties; p = (p + 1) % parties) {
        ++failures;
        if (finish[p] || !fits(p)) continue;
        found(p, std::span<const Units>(work));
        for (uint32_t t = 0; t < types; ++t) work[t] += table.held(p, t);
        finish[p] = 1;
        --left;
        failures = 0;
    }
    return left;
}

}  // namespace

bool is_safe(const ResourceTable& table, SafetySteps* steps) {
    return finish_all(
               table, [&](uint32_t p, uint32_t t) { return table.need(p, t); },
               [&](uint32_t p, std::span<const Units> work) {
                   if (steps) steps->step(p, work);
               }) == 0;
}

uint32_t reduce(const ResourceTable& table) {
    return finish_all(
        table, [&](uint32_t p, uint32_t t) { return table.wanted(p, t); },
        [](uint32_t, std::span<const Units>) {});
}
