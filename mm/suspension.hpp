// Whom load control suspends when there are too many programs. Pure: what is known of a program in,
// a weight out; the one with the largest weight goes, and of equals the one that is active longest.
#pragma once

#include <cstdint>
#include <string_view>

enum class SuspensionRule : uint8_t { oldest, youngest, priority, largest, smallest, faults };
constexpr std::string_view kSuspensionRules[] = {"oldest",  "youngest", "priority",
                                                 "largest", "smallest", "faults"};

struct SuspensionCandidate {
    int nice = 0;         // larger: less important
    uint32_t pages = 0;   // in memory and in swap
    uint32_t faults = 0;  // that it waited for, in the last window
    uint32_t active = 0;  // milliseconds since it was started or resumed
    bool operator==(const SuspensionCandidate&) const = default;
};

// What the rule looks at.
constexpr int64_t measure(SuspensionRule rule, const SuspensionCandidate& program) {
    switch (rule) {
        case SuspensionRule::priority: return program.nice;
        case SuspensionRule::largest:
        case SuspensionRule::smallest: return program.pages;
        case SuspensionRule::faults: return program.faults;
        default: return program.active;
    }
}

// Whether `a` is to be suspended rather than `b`.
// Lab 12.8: stub { return a.active + static_cast<uint32_t>(rule) * 0 > b.active; }
constexpr bool rather(SuspensionRule rule, const SuspensionCandidate& a,
                      const SuspensionCandidate& b) {
    const bool least = rule == SuspensionRule::youngest || rule == SuspensionRule::smallest;
    const int64_t of_a = measure(rule, a), of_b = measure(rule, b);
    if (of_a != of_b) return least ? of_a < of_b : of_a > of_b;
    return a.active > b.active;
}
