// The TLB model: sets, ways, replacement, flushes, and the formula for the effective access time.
#include "mm/tlb_model.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <list>
#include <random>
#include <vector>

namespace {

std::vector<bool> run(TlbModel& model, std::initializer_list<uint32_t> pages) {
    std::vector<bool> hits;
    for (const uint32_t page : pages) hits.push_back(model.access(page));
    return hits;
}

TEST(TlbModel, LruKeepsWhatWasUsedLast) {
    TlbModel::Entry entries[2];
    TlbModel model(entries, 2, TlbReplacement::lru);
    EXPECT_EQ(run(model, {1, 2, 1, 3, 1, 2}),
              (std::vector<bool>{false, false, true, false, true, false}));
}

TEST(TlbModel, FifoDropsWhatCameFirst) {
    TlbModel::Entry entries[2];
    TlbModel model(entries, 2, TlbReplacement::fifo);
    EXPECT_EQ(run(model, {1, 2, 1, 3, 1, 2}),
              (std::vector<bool>{false, false, true, false, false, false}));
}

TEST(TlbModel, PagesOfOneSetFightForItsWays) {
    TlbModel::Entry entries[4];
    TlbModel direct(entries, 1, TlbReplacement::lru);  // 4 sets
    EXPECT_EQ(run(direct, {0, 4, 0, 1, 2, 3, 1, 2, 3}),
              (std::vector<bool>{false, false, false, false, false, false, true, true, true}));
    TlbModel::Entry more[4];
    TlbModel associative(more, 4, TlbReplacement::lru);
    EXPECT_EQ(run(associative, {0, 4, 0, 1, 2, 0, 4}),
              (std::vector<bool>{false, false, true, false, false, true, true}));
}

TEST(TlbModel, FlushesSpareGlobalPages) {
    TlbModel::Entry entries[4];
    TlbModel model(entries, 4, TlbReplacement::lru);
    model.access(1);
    model.access(0xc0100, true);
    model.flush(false);
    EXPECT_FALSE(model.access(1));
    EXPECT_TRUE(model.access(0xc0100, true));
    model.flush_page(0xc0100);
    EXPECT_FALSE(model.access(0xc0100, true));
    EXPECT_TRUE(model.access(1));
    model.flush(true);
    EXPECT_FALSE(model.access(0xc0100, true));
}

TEST(TlbModel, AccessTime) {
    // 2t + l - a t with t = 100, l = 20 and a = 0.8: 140.
    EXPECT_EQ((TlbCounts{.accesses = 10, .hits = 8}.access_time(100, 20)), 140'000u);
    EXPECT_EQ((TlbCounts{.accesses = 10, .hits = 10}.access_time(100, 20)), 120'000u);
    EXPECT_EQ((TlbCounts{.accesses = 10, .hits = 0}.access_time(100, 20)), 220'000u);
    EXPECT_EQ((TlbCounts{.accesses = 1000, .hits = 985}.hit_rate()), 9'850u);
    EXPECT_EQ(TlbCounts{}.access_time(100, 20), 0u);
}

TEST(TlbModel, RatesAreRounded) {
    // 256 misses of 262,144: 2*10 + 1 - 10 * 261,888/262,144 = 11.00977.
    EXPECT_EQ((TlbCounts{.accesses = 262'144, .hits = 261'888}.access_time(10, 1)), 11'010u);
    std::mt19937 random(5);
    for (int i = 0; i < 5000; ++i) {
        const uint64_t accesses = 1 + random() % 3'000'000, hits = random() % (accesses + 1);
        const uint64_t t = 1 + random() % 500, l = 1 + random() % 50;
        const TlbCounts counts{.accesses = accesses, .hits = hits};
        const long double a = static_cast<long double>(hits) / static_cast<long double>(accesses);
        const long double exact = 2.0L * t + l - a * t;
        EXPECT_NEAR(static_cast<double>(counts.access_time(t, l)), double(1000 * exact), 0.5001);
        EXPECT_NEAR(counts.hit_rate(), static_cast<double>(10'000 * a), 0.5001);
    }
}

// Against a list in the order of use.
TEST(TlbModel, RandomStringsAgreeWithAReference) {
    std::mt19937 random(1);
    for (const uint32_t ways : {1u, 2u, 4u, 16u}) {
        std::vector<TlbModel::Entry> entries(16);
        TlbModel model(entries, ways, TlbReplacement::lru);
        const uint32_t sets = 16 / ways;
        std::vector<std::list<uint32_t>> reference(sets);
        for (int i = 0; i < 20'000; ++i) {
            const uint32_t page = random() % 40;
            std::list<uint32_t>& set = reference[page % sets];
            const auto found = std::find(set.begin(), set.end(), page);
            const bool hit = found != set.end();
            if (hit) set.erase(found);
            set.push_front(page);
            if (set.size() > ways) set.pop_back();
            ASSERT_EQ(model.access(page), hit);
        }
    }
}

TEST(TlbModel, RandomReplacementStaysInItsSet) {
    std::vector<TlbModel::Entry> entries(8);
    TlbModel model(entries, 4, TlbReplacement::random);
    for (uint32_t page = 0; page < 40; page += 2) model.access(page);
    EXPECT_FALSE(model.access(1));
    for (const uint32_t page : {3u, 5u, 7u}) model.access(page);
    for (const uint32_t page : {1u, 3u, 5u, 7u}) EXPECT_TRUE(model.access(page));
}

}  // namespace
