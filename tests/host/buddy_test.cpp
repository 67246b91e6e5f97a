// The buddy allocator: runs are aligned and disjoint, everything comes back, and joins again.
#include "mm/buddy.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

namespace {

struct Unit {
    uint8_t order = 0;
    bool free = false;
    ListNode node;
};
constexpr uint32_t kOrders = 11;

struct BuddyTest : ::testing::Test {
    void make(uint32_t first, uint32_t end) {
        units = std::vector<Unit>(end);
        buddy.init(units.data(), first, end);
    }
    void TearDown() override {  // unlinks what is free
        for (uint32_t order = 0; order < kOrders; ++order)
            while (buddy.free_runs(order)) buddy.allocate(order);
    }
    std::vector<Unit> units;
    Buddy<Unit, kOrders> buddy;
};

TEST_F(BuddyTest, AddsARangeAsFewestRuns) {
    make(0, 4096);
    buddy.add(3, 2048 + 5);
    EXPECT_EQ(buddy.free_units(), 2050u);
    EXPECT_EQ(buddy.free_runs(0), 2u);   // 3, and 2052
    EXPECT_EQ(buddy.free_runs(2), 2u);   // 4..8, and 2048..2052
    EXPECT_EQ(buddy.free_runs(10), 1u);  // 1024..2048
}

TEST_F(BuddyTest, SplitsAndJoins) {
    make(0, 1024);
    buddy.add(0, 1024);
    auto a = buddy.allocate(0), b = buddy.allocate(0);
    ASSERT_TRUE(a && b);
    EXPECT_EQ(*a ^ *b, 1u);
    EXPECT_EQ(buddy.free_runs(10), 0u);
    buddy.free(*a, 0);
    buddy.free(*b, 0);
    EXPECT_EQ(buddy.free_runs(10), 1u);
}

TEST_F(BuddyTest, FailsWhenEmpty) {
    make(0, 8);
    EXPECT_FALSE(buddy.allocate(0));
    buddy.add(0, 8);
    EXPECT_FALSE(buddy.allocate(4));
    EXPECT_TRUE(buddy.allocate(3));
    EXPECT_FALSE(buddy.allocate(0));
}

TEST_F(BuddyTest, NeverJoinsAcrossItsBorders) {
    make(1024, 1024 + 512 + 3);
    buddy.add(1024, 1024 + 512 + 3);
    EXPECT_EQ(buddy.free_runs(9), 1u);
    EXPECT_EQ(buddy.free_runs(1), 1u);
    EXPECT_EQ(buddy.free_runs(0), 1u);
}

TEST_F(BuddyTest, RandomUseKeepsRunsApart) {
    constexpr uint32_t kUnits = 10000;
    make(0, kUnits);
    buddy.add(7, kUnits);
    std::vector<bool> used(kUnits);
    std::map<uint32_t, uint32_t> live;
    std::mt19937 random(1);
    for (int step = 0; step < 20000; ++step) {
        if (random() % 2 || live.empty()) {
            const uint32_t order = random() % 6;
            auto index = buddy.allocate(order);
            if (!index) continue;
            ASSERT_EQ(*index % (1u << order), 0u);
            for (uint32_t i = 0; i < 1u << order; ++i) {
                ASSERT_FALSE(used[*index + i]);
                used[*index + i] = true;
            }
            live[*index] = order;
        } else {
            auto run = live.lower_bound(random() % kUnits);
            if (run == live.end()) run = live.begin();
            for (uint32_t i = 0; i < 1u << run->second; ++i) used[run->first + i] = false;
            buddy.free(run->first, run->second);
            live.erase(run);
        }
    }
    for (auto [index, order] : live) buddy.free(index, order);
    EXPECT_EQ(buddy.free_units(), kUnits - 7);
    EXPECT_EQ(buddy.free_runs(10), kUnits / 1024 - 1);
}

}  // namespace
