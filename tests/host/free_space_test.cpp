// The organisations of free space: nothing is given out twice or lost, whatever the order; what each
// costs in transfers; the textbook's numbers for bits.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <random>
#include <vector>

#include "fs/free_spaces.hpp"

namespace {

struct Store final : BlockStore {
    explicit Store(uint32_t blocks) : contents(blocks, std::vector<uint32_t>(kWords)) {}
    static constexpr uint32_t kWords = 128;
    uint32_t* read(uint32_t block) override {
        ++reads;
        return contents.at(block).data();
    }
    uint32_t* overwrite(uint32_t block) override { return contents.at(block).data(); }
    void write(uint32_t block) override {
        EXPECT_LT(block, contents.size());
        ++writes;
    }
    uint32_t words() const override { return kWords; }

    std::vector<std::vector<uint32_t>> contents;
    uint32_t reads = 0, writes = 0;
};

template <typename Organisation>
struct FreeSpaceOf : testing::Test {
    static constexpr uint32_t kBlocks = 4500;  // more than a bitmap of one block tells of
    Store store{kBlocks};
    Organisation space;
    void SetUp() override { space.format(store, kBlocks); }
    uint32_t own() { return space.reserved(kBlocks, Store::kWords); }
};
using All =
    testing::Types<Named<FreeTable>, Named<FreeList>, Named<FreeBitmap>, Named<GroupedLinking>>;
TYPED_TEST_SUITE(FreeSpaceOf, All);

TYPED_TEST(FreeSpaceOf, GivesOutEachBlockOnce) {
    std::vector<bool> taken(this->kBlocks);
    for (uint32_t i = 0; i < this->own(); ++i) taken[i] = true;
    std::vector<BlockRun> held;
    std::mt19937 random(7);
    for (uint32_t step = 0; step < 3000; ++step) {
        if (random() % 100 < 52) {
            const uint32_t wanted = 1 + random() % 40;
            const BlockRun run = this->space.allocate(wanted);
            ASSERT_LE(run.count, wanted);
            ASSERT_LE(run.first + run.count, this->kBlocks);
            for (uint32_t i = 0; i < run.count; ++i) {
                ASSERT_FALSE(taken[run.first + i]) << "block " << run.first + i << " twice";
                taken[run.first + i] = true;
            }
            if (run.count) held.push_back(run);
        } else if (!held.empty()) {
            std::swap(held[random() % held.size()], held.back());
            BlockRun run = held.back();
            held.pop_back();
            if (run.count > 1 && random() % 4 == 0) {  // a part of it only
                held.push_back({run.first, run.count / 2});
                run = {run.first + run.count / 2, run.count - run.count / 2};
            }
            for (uint32_t i = 0; i < run.count; ++i) taken[run.first + i] = false;
            this->space.release(run);
        }
        const auto free = std::count(taken.begin(), taken.end(), false);
        if (step % 64 == 0) ASSERT_EQ(this->space.free_blocks(), static_cast<uint32_t>(free));
    }
    while (!held.empty()) {
        this->space.release(held.back());
        held.pop_back();
    }
    EXPECT_EQ(this->space.free_blocks(), this->kBlocks - this->own());
}

TYPED_TEST(FreeSpaceOf, AFullDiskGivesNothingAndComesBack) {
    std::vector<BlockRun> held;
    for (BlockRun run; (run = this->space.allocate(1)).count;) held.push_back(run);
    EXPECT_EQ(held.size(), this->kBlocks - this->own());
    EXPECT_EQ(this->space.free_blocks(), 0u);
    for (const BlockRun& run : held) this->space.release(run);
    EXPECT_EQ(this->space.free_blocks(), held.size());
    EXPECT_EQ(this->space.allocate(1).count, 1u);
}

TEST(FreeBitmap, PlacesOfTheTextbook) {
    const uint32_t pairs[][3] = {{1, 1, 1}, {16, 1, 16}, {17, 2, 1}, {40, 3, 8}};
    for (const auto& [block, row, column] : pairs) {
        EXPECT_EQ(place_of(block, 16), (BitmapPlace{row, column}));
        EXPECT_EQ(block_at({row, column}, 16), block);
    }
    for (uint32_t n : {1u, 7u, 32u})
        for (uint32_t b = 1; b < 200; ++b) EXPECT_EQ(block_at(place_of(b, n), n), b);
}

TEST(FreeTable, NeighboursMerge) {
    Store store(100);
    Named<FreeTable> table;
    table.format(store, 100);
    const BlockRun a = table.allocate(10), b = table.allocate(10), c = table.allocate(10);
    table.release(a);
    table.release(c);  // merges with what follows
    EXPECT_EQ(table.entries(), 2u);
    table.release(b);
    EXPECT_EQ(table.entries(), 1u);
}

TEST(GroupedLinking, TransfersOnceAGroup) {
    Store store(1000);
    Named<GroupedLinking> grouped;
    grouped.tunables.group.set(std::array{uint32_t{50}});
    grouped.format(store, 1000);
    Named<FreeList> list;
    Store other(1000);
    list.format(other, 1000);
    store.reads = other.reads = 0;
    for (uint32_t i = 0; i < 500; ++i) {
        grouped.allocate(1);
        list.allocate(1);
    }
    EXPECT_EQ(store.reads, 10u);
    EXPECT_EQ(other.reads, 500u);
}

// The reference shares nothing with the classes: a stack of numbers, and which of them lie on the disk.
TEST(FreeSpaceCosts, TransfersOfAStackWorkedOutBesideIt) {
    constexpr uint32_t kBlocks = 700, kGroup = 7;
    Store list_store(kBlocks), grouped_store(kBlocks);
    Named<FreeList> list;
    Named<GroupedLinking> grouped;
    grouped.tunables.group.set(std::array{uint32_t{kGroup}});
    list.format(list_store, kBlocks);
    grouped.format(grouped_store, kBlocks);
    for (Store* store : {&list_store, &grouped_store}) store->reads = store->writes = 0;
    std::vector<uint32_t> stack;
    uint32_t in_memory = 1;  // numbers that grouped linking has in memory; 0 at the bottom is one
    uint32_t list_reads = 0, list_writes = 0, grouped_reads = 0, grouped_writes = 0;
    const auto push = [&](uint32_t block) {
        if (in_memory == kGroup) in_memory = 0, ++grouped_writes;
        ++in_memory;
        stack.push_back(block);
    };
    for (uint32_t block = kBlocks; block-- > 1;) push(block);
    grouped_writes = 0;
    std::mt19937 random(3);
    std::vector<uint32_t> held;
    for (uint32_t step = 0; step < 5000; ++step) {
        if (random() % 2 && !stack.empty()) {
            const uint32_t block = stack.back();
            stack.pop_back();
            ++list_reads;
            if (--in_memory == 0) in_memory = kGroup, ++grouped_reads;
            EXPECT_EQ(list.allocate(1).first, block);
            EXPECT_EQ(grouped.allocate(1).first, block);
            held.push_back(block);
        } else if (!held.empty()) {
            std::swap(held[random() % held.size()], held.back());
            push(held.back());
            ++list_writes;
            list.release({held.back(), 1});
            grouped.release({held.back(), 1});
            held.pop_back();
        }
    }
    EXPECT_EQ(list_store.reads, list_reads);
    EXPECT_EQ(list_store.writes, list_writes);
    EXPECT_EQ(grouped_store.reads, grouped_reads);
    EXPECT_EQ(grouped_store.writes, grouped_writes);
}

TEST(GroupedLinking, ComesOutInTheOrderOfTheDisk) {
    Store store(1000);
    Named<GroupedLinking> grouped;
    grouped.tunables.group.set(std::array{uint32_t{50}});
    grouped.format(store, 1000);
    EXPECT_EQ(grouped.allocate(1).first, 1u);
    EXPECT_EQ(grouped.allocate(1).first, 2u);
}

}  // namespace
