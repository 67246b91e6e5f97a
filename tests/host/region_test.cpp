// sources: mm/region.cpp
// Regions: splitting, merging, finding room; compared with one byte per page.
#include "mm/region.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace {

constexpr VirtAddr at(uint32_t page) { return VirtAddr(page << kPageShift); }

struct FakePager final : Pager {
    Result<Frame> frame_for(uint32_t, AccessPattern) override { return Errno::fault; }
    void cached_frames(uint32_t, uint32_t, std::span<Frame>) override {}
    void mark_dirty(uint32_t) override {}
    std::string_view name(std::span<char>) const override { return "fake"; }
    uint32_t inode_number() const override { return 1; }
    uint32_t device_number() const override { return 1; }
};

RegionAttributes anonymous(uint32_t protection = 3) { return {.protection = protection}; }

TEST(RegionMap, NeighboursMerge) {
    RegionMap map;
    ASSERT_TRUE(map.insert(at(10), at(20), anonymous(), 0));
    ASSERT_TRUE(map.insert(at(30), at(40), anonymous(), 0));
    EXPECT_EQ(map.count(), 2u);
    ASSERT_TRUE(map.insert(at(20), at(30), anonymous(), 0));
    EXPECT_EQ(map.count(), 1u);
    EXPECT_EQ(map.pages(), 30u);
    ASSERT_TRUE(map.insert(at(40), at(41), anonymous(1), 0));
    EXPECT_EQ(map.count(), 2u);
}

TEST(RegionMap, FilePagesMergeOnlyInOrder) {
    RegionMap map;
    RegionAttributes file{.protection = 1};
    file.pager = Ref<FakePager>::adopt(new FakePager);
    ASSERT_TRUE(map.insert(at(10), at(12), file, 5));
    ASSERT_TRUE(map.insert(at(12), at(13), file, 7));
    EXPECT_EQ(map.count(), 1u);
    ASSERT_TRUE(map.insert(at(13), at(14), file, 7));
    EXPECT_EQ(map.count(), 2u);
    ASSERT_TRUE(map.remove(at(11), at(12)));
    EXPECT_EQ(map.find(at(12))->page_offset, 7u);
    EXPECT_EQ(map.find(at(10))->end, at(11));
}

TEST(RegionMap, ProtectSplitsAndJoinsAgain) {
    RegionMap map;
    ASSERT_TRUE(map.insert(at(10), at(20), anonymous(), 0));
    ASSERT_TRUE(map.protect(at(12), at(15), 1));
    EXPECT_EQ(map.count(), 3u);
    EXPECT_EQ(map.find(at(12))->attributes.protection, 1u);
    EXPECT_EQ(map.find(at(15))->attributes.protection, 3u);
    ASSERT_TRUE(map.protect(at(12), at(15), 3));
    EXPECT_EQ(map.count(), 1u);
    EXPECT_TRUE(map.is_covered(at(10), at(20)));
    EXPECT_FALSE(map.is_covered(at(10), at(21)));
    EXPECT_FALSE(map.is_covered(at(9), at(11)));
}

TEST(RegionMap, FindsTheHighestGapWithinBounds) {
    RegionMap map;
    EXPECT_EQ(map.find_gap(kPageSize, at(1), at(100)), at(99));
    ASSERT_TRUE(map.insert(at(90), at(100), anonymous(), 0));
    ASSERT_TRUE(map.insert(at(50), at(85), anonymous(), 0));
    EXPECT_EQ(map.find_gap(5 * kPageSize, at(1), at(100)), at(85));
    EXPECT_EQ(map.find_gap(6 * kPageSize, at(1), at(100)), at(44));
    EXPECT_EQ(map.find_gap(4 * kPageSize, at(1), at(88)), at(46));
    EXPECT_EQ(map.find_gap(49 * kPageSize, at(1), at(100)), at(1));
    EXPECT_EQ(map.find_gap(50 * kPageSize, at(1), at(100)), std::nullopt);
}

TEST(RegionMap, KeepsTheGuardBelowAStackFree) {
    RegionMap map;
    RegionAttributes stack{.protection = 3, .grows_down = true};
    ASSERT_TRUE(map.insert(at(1000), at(1010), stack, 0));
    EXPECT_EQ(map.find_gap(kPageSize, at(1), at(1010)), at(1000 - 257));
    EXPECT_FALSE(map.is_free(at(900), at(901)));
    EXPECT_TRUE(map.is_free(at(743), at(744)));
    map.set_start(*map.find(at(1000)), at(990));
    EXPECT_EQ(map.find_gap(kPageSize, at(1), at(1010)), at(990 - 257));
}

TEST(RegionMap, CopyIsEqual) {
    RegionMap map, copy;
    for (uint32_t i = 0; i < 100; ++i)
        ASSERT_TRUE(map.insert(at(10 * i), at(10 * i + 5), anonymous(), 0));
    ASSERT_TRUE(copy.copy_from(map));
    EXPECT_EQ(copy.count(), 100u);
    EXPECT_EQ(copy.pages(), 500u);
}

TEST(RegionMap, RandomUseAgreesWithABytePerPage) {
    constexpr uint32_t kPages = 600;
    RegionMap map;
    std::vector<uint8_t> model(kPages, 0);  // 0 free, else protection + 1
    std::mt19937 random(4);
    for (int step = 0; step < 20000; ++step) {
        const uint32_t start = random() % kPages;
        const uint32_t end = start + 1 + random() % std::min(40u, kPages - start);
        const uint32_t protection = random() % 3;
        auto all = [&](auto test) {
            for (uint32_t i = start; i < end; ++i)
                if (!test(model[i])) return false;
            return true;
        };
        ASSERT_EQ(map.is_free(at(start), at(end)), all([](uint8_t m) { return m == 0; }));
        ASSERT_EQ(map.is_covered(at(start), at(end)), all([](uint8_t m) { return m != 0; }));
        switch (random() % 3) {
            case 0:
                ASSERT_TRUE(map.remove(at(start), at(end)));
                ASSERT_TRUE(map.insert(at(start), at(end), anonymous(protection), 0));
                std::fill(model.begin() + start, model.begin() + end, protection + 1);
                break;
            case 1:
                ASSERT_TRUE(map.remove(at(start), at(end)));
                std::fill(model.begin() + start, model.begin() + end, 0);
                break;
            default:
                ASSERT_TRUE(map.protect(at(start), at(end), protection));
                for (uint32_t i = start; i < end; ++i)
                    if (model[i]) model[i] = static_cast<uint8_t>(protection + 1);
        }
        RegionMap::destroy(map.take_removed());
        uint32_t runs = 0, used = 0;
        for (uint32_t i = 0; i < kPages; ++i) {
            used += model[i] != 0;
            runs += model[i] && (i == 0 || model[i - 1] != model[i]);
        }
        ASSERT_EQ(map.count(), runs);
        ASSERT_EQ(map.pages(), used);
        const uint32_t want = 1 + random() % 20;
        int highest = -1;
        for (uint32_t i = 1, length = 0; i < kPages; ++i) {
            length = model[i] ? 0 : length + 1;
            if (length >= want) highest = static_cast<int>(i - want + 1);
        }
        auto gap = map.find_gap(want * kPageSize, at(1), at(kPages));
        ASSERT_EQ(gap ? static_cast<int>(gap->raw() >> kPageShift) : -1, highest);
    }
}

TEST(RegionMap, TenThousandRegionsStayFast) {
    RegionMap map;
    for (uint32_t i = 0; i < 10000; ++i) {
        auto gap = map.find_gap(kPageSize, at(16), at(0xC0000));
        ASSERT_TRUE(gap);
        ASSERT_TRUE(map.insert(*gap, *gap + kPageSize, anonymous(i % 2 ? 1 : 3), 0));
    }
    EXPECT_EQ(map.count(), 10000u);
    for (uint32_t i = 0; i < 10000; i += 2)
        ASSERT_TRUE(map.remove(at(0xC0000 - 1 - i), at(0xC0000 - i)));
    EXPECT_EQ(map.count(), 5000u);
}

}  // namespace
