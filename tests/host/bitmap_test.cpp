// Bitmap: runs of clear bits, against looking at each bit.
#include "kernel/lib/bitmap.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "fs/free_space/free_bitmap.hpp"

namespace {

std::optional<uint32_t> find_slowly(const Bitmap& bits, uint32_t count, uint32_t from) {
    for (uint32_t at = from; at + count <= bits.size(); ++at) {
        uint32_t run = 0;
        while (run < count && !bits.test(at + run)) ++run;
        if (run == count) return at;
    }
    return std::nullopt;
}

TEST(Bitmap, FindsTheFirstRunThatIsLongEnough) {
    std::mt19937 random(7);
    for (int round = 0; round < 400; ++round) {
        const uint32_t size = 1 + random() % 400;
        std::vector<uint32_t> words((size + 31) / 32, ~0u);
        Bitmap bits(words, size);
        for (uint32_t holes = random() % 6; holes > 0; --holes) {
            const uint32_t first = random() % size;
            bits.set_range(first, std::min<uint32_t>(size - first, 1 + random() % 40), false);
        }
        for (int i = 0; i < 20; ++i) {
            const uint32_t count = 1 + random() % 20, from = random() % (size + 40);
            EXPECT_EQ(bits.find_clear_run(count, from), find_slowly(bits, count, from))
                << "size " << size << " count " << count << " from " << from;
        }
    }
}

TEST(Bitmap, FullToTheLastBit) {
    for (uint32_t size = 1; size < 100; ++size) {
        std::vector<uint32_t> words((size + 31) / 32, ~0u);
        Bitmap bits(words, size);
        EXPECT_EQ(bits.find_clear_run(1), std::nullopt);
        bits.set(size - 1, false);
        EXPECT_EQ(bits.find_clear_run(1), size - 1);
        EXPECT_EQ(bits.count_clear(size - 1, 50), 1u);
        EXPECT_EQ(bits.find_clear_run(2), std::nullopt);
    }
}

// What is promised is as good as set for everybody else.
TEST(Bitmap, StepsOverWhatIsPromised) {
    std::mt19937 random(11);
    for (int round = 0; round < 400; ++round) {
        const uint32_t size = 1 + random() % 300;
        std::vector<uint32_t> words((size + 31) / 32), all;
        Bitmap bits(words, size);
        std::vector<BlockRun> promised;
        for (uint32_t at = random() % 30; at < size;) {
            const uint32_t count = std::min<uint32_t>(size - at, 1 + random() % 20);
            if (random() % 2)
                bits.set_range(at, count);
            else
                promised.push_back({at, count});
            at += count + random() % 30;
        }
        all = words;
        Bitmap both(all, size);
        for (const BlockRun& run : promised) both.set_range(run.first, run.count);
        for (int i = 0; i < 20; ++i) {
            const uint32_t room = 1 + random() % 12, from = random() % (size + 5);
            const auto found = find_run(bits, from, 25, room, [&](uint32_t at) {
                for (const BlockRun& run : promised)
                    if (run.first + run.count > at) return run;
                return BlockRun{};
            });
            const auto wanted = find_run(both, from, 25, room);
            ASSERT_EQ(found.has_value(), wanted.has_value());
            if (!found) continue;
            EXPECT_EQ(found->first, wanted->first);
            EXPECT_EQ(found->count, wanted->count);
        }
    }
}

}  // namespace
