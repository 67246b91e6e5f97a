// How blocks of files are found: the ways of each organisation against ext2's own path and against
// counts worked out beside them, for random files.
#include "user/lab-fs/organisation.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "fs/ext2/block_map.hpp"

namespace {

TEST(Organisation, WaysOfRandomFiles) {
    std::mt19937 random(3);
    for (uint32_t round = 0; round < 8; ++round) {
        const uint32_t bits = 4 + random() % 5, p = 1u << bits;
        DiskFile file{{}, p};
        for (uint32_t n = 1 + random() % 2000; n; --n) file.blocks.push_back(random() % 1'000'000);
        const auto size = static_cast<uint32_t>(file.blocks.size());
        uint32_t levels = 1;
        for (uint64_t reach = p; reach < size; reach *= p) ++levels;
        std::set<uint32_t> index_blocks;
        const MixedIndex mixed(file);
        for (uint32_t i = 0; i < size; ++i) {
            EXPECT_EQ(ImplicitLinks(file).way(i).size(), i + 1 == size ? 1 : i + 1);
            EXPECT_EQ(ExplicitLinks(file).way(i), (std::vector<uint32_t>{file.blocks[i]}));
            EXPECT_EQ(MultiLevelIndex(file).way(i).size(), levels + 1);
            const std::vector<uint32_t> way = mixed.way(i);
            EXPECT_EQ(way.size(), ext2::block_path(i, bits)->levels + 1);
            EXPECT_EQ(way.back(), file.blocks[i]);
            index_blocks.insert(way.begin(), way.end() - 1);
        }
        // Index blocks of the mixed index, level by level.
        uint64_t left = size > 12 ? size - 12 : 0, expected = 0, reach = p;
        for (uint32_t level = 1; left; ++level, reach *= p) {
            uint64_t count = std::min(left, reach);
            left -= count;
            for (uint32_t i = 0; i < level; ++i) expected += count = (count + p - 1) / p;
        }
        EXPECT_EQ(index_blocks.size(), expected);
    }
}

}  // namespace
