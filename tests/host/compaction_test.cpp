// Compaction's choice of a block, and the buddy allocator's part: taking a range's free frames away.
#include "mm/compaction_plan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <string_view>
#include <vector>

#include "mm/buddy.hpp"

namespace {

std::vector<FrameUse> map(std::string_view text) {  // . free, m movable, X fixed
    std::vector<FrameUse> uses;
    for (const char c : text)
        if (c != ' ')
            uses.push_back(c == '.'   ? FrameUse::free
                           : c == 'm' ? FrameUse::movable
                                      : FrameUse::fixed);
    return uses;
}
int chosen(std::string_view text, uint32_t order) {
    const std::optional<CompactionBlock> block = choose_block(map(text), order);
    return block ? static_cast<int>(block->first) : -1;
}

TEST(Compaction, ChoosesTheBlockWithTheFewestPages) {
    EXPECT_EQ(chosen("mm.. m... m.mm", 2), 4);
    EXPECT_EQ(chosen("mm.. mX.. m.mm", 2), 0);
}
TEST(Compaction, LeavesItWhenNothingIsGained) {
    EXPECT_EQ(chosen("mmmm mmmm", 2), -1);  // no room
    EXPECT_EQ(chosen("mm.. mmm.", 2), -1);  // one free elsewhere, two to move
    EXPECT_EQ(chosen("mm.. mm..", 2), 0);
    EXPECT_EQ(chosen("mm.. ....", 2), -1);  // only into a free block
    EXPECT_EQ(chosen("XXXX X..X", 2), -1);
    EXPECT_EQ(chosen("m.m", 2), -1);  // no whole block
}
TEST(Compaction, RepeatedItEndsWhenNothingFitsElsewhere) {
    std::mt19937 random(4);
    for (int round = 0; round < 50; ++round) {
        std::vector<FrameUse> uses(256);
        for (FrameUse& use : uses) use = random() % 3 ? FrameUse::free : FrameUse::movable;
        int steps = 0;
        while (const auto block = choose_block(uses, 4)) {
            ASSERT_LT(++steps, 17);
            for (uint32_t i = block->first; i < block->first + 16; ++i) {
                if (uses[i] != FrameUse::movable) continue;
                uses[i] = FrameUse::free;
                for (uint32_t to = 0;; ++to) {  // a free frame of a block in use
                    const auto start = uses.begin() + to / 16 * 16;
                    if (to / 16 == block->first / 16 || uses[to] != FrameUse::free) continue;
                    if (std::count(start, start + 16, FrameUse::free) == 16) continue;
                    uses[to] = FrameUse::movable;
                    break;
                }
            }
        }
        uint32_t room = 0;
        for_each_block(uses, 4, [&](const CompactionBlock& b) { room += b.movable ? b.free : 0; });
        for_each_block(uses, 4, [&](const CompactionBlock& b) {
            if (b.movable) {
                EXPECT_GT(b.movable, room - b.free);
            }
        });
    }
}

struct Unit {
    uint8_t order = 0;
    bool free = false;
    ListNode node;
};

TEST(Compaction, FreeFramesOfARangeAreTakenAway) {
    std::vector<Unit> units(64);
    Buddy<Unit, 7> buddy;
    buddy.init(units.data(), 0, 64);
    buddy.add(0, 64);
    std::set<uint32_t> used;
    for (int i = 0; i < 64; ++i) used.insert(*buddy.allocate(0));
    for (uint32_t i : {0u, 1u, 2u, 17u, 20u, 21u, 30u, 31u}) buddy.free(i, 0), used.erase(i);
    std::vector<uint32_t> taken;
    buddy.withdraw(16, 32, [&](uint32_t first, uint32_t order) {
        for (uint32_t i = 0; i < 1u << order; ++i) taken.push_back(first + i);
    });
    EXPECT_EQ(taken, (std::vector<uint32_t>{17, 20, 21, 30, 31}));
    EXPECT_EQ(buddy.free_units(), 3u);
    while (const auto i = buddy.allocate(0)) EXPECT_LT(*i, 3u);
    for (uint32_t i = 16; i < 32; ++i) buddy.free(i, 0);  // the pages have moved away
    EXPECT_EQ(buddy.free_runs(4), 1u);
    EXPECT_EQ(*buddy.allocate(4), 16u);
}

}  // namespace
