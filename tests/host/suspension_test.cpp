// Whom load control suspends under each rule, in random company.
#include "mm/suspension.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace {

TEST(Suspension, EachRuleTakesTheExtremeOfItsMeasure) {
    std::mt19937 random(4);
    for (uint32_t round = 0; round < 500; ++round) {
        std::vector<SuspensionCandidate> all;
        for (uint32_t i = 0, n = 1 + random() % 9; i < n; ++i)
            all.push_back({static_cast<int>(random() % 5), random() % 7, random() % 6, i * 10});
        std::ranges::shuffle(all, random);
        const auto chosen = [&](SuspensionRule rule) {
            const SuspensionCandidate* best = nullptr;
            for (const SuspensionCandidate& one : all)
                if (!best || rather(rule, one, *best)) best = &one;
            return *best;
        };
        using C = SuspensionCandidate;
        const auto expect = [&](SuspensionRule rule, auto field, bool least) {
            const C got = chosen(rule);
            for (const C& one : all) {
                EXPECT_TRUE(least ? got.*field <= one.*field : got.*field >= one.*field);
                if (got.*field == one.*field) EXPECT_GE(got.active, one.active);
            }
        };
        expect(SuspensionRule::oldest, &C::active, false);
        expect(SuspensionRule::priority, &C::nice, false);
        expect(SuspensionRule::largest, &C::pages, false);
        expect(SuspensionRule::smallest, &C::pages, true);
        expect(SuspensionRule::faults, &C::faults, false);
        EXPECT_EQ(chosen(SuspensionRule::youngest).active, 0u);
    }
}

}  // namespace
