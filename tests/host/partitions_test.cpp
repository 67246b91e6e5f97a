// Partitions of lab-partitions against memory drawn unit by unit, under random requests.
// sources: user/lab-partitions/memory.cpp
#include "user/lab-partitions/memory.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

namespace {

constexpr uint32_t kUnits = 96;

struct Hole {
    uint32_t start, size;
};

// A number a unit: whose it is, 0 for nobody.
struct Picture {
    std::vector<uint32_t> units = std::vector<uint32_t>(kUnits);

    std::vector<Hole> holes() const {
        std::vector<Hole> all;
        for (uint32_t at = 0; at < kUnits; ++at) {
            if (units[at]) continue;
            if (all.empty() || all.back().start + all.back().size != at) all.push_back({at, 0});
            ++all.back().size;
        }
        return all;
    }
    void fill(uint32_t start, uint32_t size, uint32_t owner) {
        std::fill_n(units.begin() + start, size, owner);
    }
};

uint32_t expected_start(Scheme scheme, std::vector<Hole> holes, uint32_t size, uint32_t hand) {
    std::erase_if(holes, [&](const Hole& hole) { return hole.size < size; });
    if (holes.empty()) return UINT32_MAX;
    const auto smaller = [](const Hole& a, const Hole& b) { return a.size < b.size; };
    if (scheme == Scheme::best_fit) return std::ranges::min_element(holes, smaller)->start;
    if (scheme == Scheme::worst_fit) return std::ranges::max_element(holes, smaller)->start;
    if (scheme == Scheme::next_fit)
        for (const Hole& hole : holes)
            if (hole.start >= hand) return hole.start;
    return holes.front().start;
}

TEST(Partitions, DynamicOnesLieWhereThePictureHasRoom) {
    for (Scheme scheme :
         {Scheme::first_fit, Scheme::next_fit, Scheme::best_fit, Scheme::worst_fit}) {
        std::mt19937 random(6);
        Memory memory(scheme, kUnits, {});
        Picture picture;
        std::map<uint32_t, Hole> programs;
        uint32_t hand = 0;
        for (uint32_t step = 1; step < 800; ++step) {
            if (random() % 100 < 55 || programs.empty()) {
                const uint32_t size = 1 + random() % 14;
                const uint32_t start = expected_start(scheme, picture.holes(), size, hand);
                ASSERT_EQ(memory.take(std::to_string(step), size), start != UINT32_MAX);
                if (start == UINT32_MAX) continue;
                picture.fill(start, size, step);
                programs[step] = {start, size};
                hand = start + size;
            } else {
                const auto which = std::next(programs.begin(), random() % programs.size());
                const auto [start, size] = which->second;
                const bool below = start > 0 && !picture.units[start - 1];
                const bool above = start + size < kUnits && !picture.units[start + size];
                ASSERT_EQ(memory.give(std::to_string(which->first)), below + 2u * above);
                picture.fill(start, size, 0);
                programs.erase(which);
            }
            for (const Piece& piece : memory.pieces())
                for (uint32_t at = piece.start; at < piece.start + piece.size; ++at)
                    ASSERT_EQ(piece.hole() ? "0" : piece.owner, std::to_string(picture.units[at]));
            const Fragmentation f = memory.fragmentation();
            uint32_t free = 0, largest = 0;
            for (const Hole& hole : picture.holes()) {
                free += hole.size;
                largest = std::max(largest, hole.size);
            }
            ASSERT_EQ(f.free, free);
            ASSERT_EQ(f.external(), free - largest);
            ASSERT_EQ(f.internal(), 0u);
        }
        memory.compact();
        EXPECT_EQ(memory.fragmentation().external(), 0u);
    }
}

TEST(Partitions, SingleAndFixedOnesWasteInside) {
    Memory single(Scheme::single, 64, {});
    EXPECT_TRUE(single.take("a", 10));
    EXPECT_FALSE(single.take("b", 1));
    EXPECT_EQ(single.fragmentation().internal(), 54u);
    Memory fixed(Scheme::fixed, 64, {8, 16, 40});
    EXPECT_TRUE(fixed.take("a", 9));  // the smallest that is large enough: 16
    EXPECT_EQ(fixed.fragmentation().internal(), 7u);
    EXPECT_FALSE(fixed.take("b", 41));
    EXPECT_TRUE(fixed.take("b", 16));
    EXPECT_EQ(fixed.fragmentation().internal(), 7u + 24u);
    EXPECT_EQ(fixed.fragmentation().external(), 0u);
    EXPECT_FALSE(fixed.compact());
}

TEST(Partitions, BuddiesArePowersOfTwoAndJoinAgain) {
    std::mt19937 random(8);
    Memory memory(Scheme::buddy, 100, {});
    std::vector<std::string> programs;
    for (uint32_t step = 0; step < 2000; ++step) {
        if (random() % 2 || programs.empty()) {
            if (memory.take(std::to_string(step), 1 + random() % 20))
                programs.push_back(std::to_string(step));
        } else {
            std::swap(programs[random() % programs.size()], programs.back());
            memory.give(programs.back());
            programs.pop_back();
        }
        uint32_t end = 0;
        const Piece* before = nullptr;
        for (const Piece& piece : memory.pieces()) {
            ASSERT_EQ(piece.start, end);
            ASSERT_EQ(piece.size & (piece.size - 1), 0u);
            ASSERT_EQ(piece.start % piece.size, 0u);
            if (!piece.hole()) {
                ASSERT_GT(2 * piece.wanted, piece.size);
            }
            if (before && before->hole() && piece.hole() && before->size == piece.size) {
                ASSERT_NE(before->start ^ piece.size, piece.start) << "two halves of a whole";
            }
            end += piece.size;
            before = &piece;
        }
        ASSERT_EQ(end, 64u);
    }
    for (const std::string& program : programs) memory.give(program);
    EXPECT_EQ(memory.pieces().size(), 1u);
}

TEST(Partitions, QuickFitKeepsSizesUntilNoneFits) {
    Memory memory(Scheme::quick_fit, 30, {});
    for (const char* name : {"a", "b", "c"}) memory.take(name, 10);
    memory.give("a");
    memory.give("b");
    EXPECT_EQ(memory.fragmentation().holes, 2u);
    EXPECT_TRUE(memory.take("d", 10));
    memory.give("d");
    EXPECT_TRUE(memory.take("e", 15));  // the two become one
    EXPECT_EQ(memory.pieces().front().owner, "e");
}

}  // namespace
