// The kernel heap's slabs: cells are aligned, disjoint, and their pages go back in the end.
#include "mm/slab_heap.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <random>
#include <vector>

namespace {

struct HostPages {
    std::map<void*, uint32_t> live;
    uint32_t limit = UINT32_MAX;
    void* allocate_pages(uint32_t order) {
        if (live.size() >= limit) return nullptr;
        void* pages = std::aligned_alloc(kPageSize, kPageSize << order);
        live[pages] = 1u << order;
        return pages;
    }
    uint32_t free_pages(void* pages) {
        const uint32_t count = live.at(pages);
        live.erase(pages);
        std::free(pages);
        return count;
    }
    ~HostPages() {
        while (!live.empty()) free_pages(live.begin()->first);
    }
};

struct HeapTest : ::testing::Test {
    HostPages pages;
    SlabHeap<HostPages> heap{pages};
    void TearDown() override {
        heap.trim();
        EXPECT_EQ(heap.statistics().pages, 0u);
        EXPECT_TRUE(pages.live.empty());
    }
};

TEST_F(HeapTest, EverySizeIsAlignedAndHoldsItsBytes) {
    std::vector<std::pair<char*, uint32_t>> blocks;
    for (uint32_t size = 0; size < 5000; size += 7) {
        auto* block = static_cast<char*>(heap.allocate(size));
        ASSERT_NE(block, nullptr);
        ASSERT_EQ(reinterpret_cast<uintptr_t>(block) % kHeapAlignment, 0u);
        std::memset(block, static_cast<int>(size), size);
        blocks.push_back({block, size});
    }
    for (auto [block, size] : blocks) {
        for (uint32_t i = 0; i < size; ++i) ASSERT_EQ(block[i], static_cast<char>(size));
        heap.free(block);
    }
    EXPECT_EQ(heap.statistics().objects, 0u);
    EXPECT_EQ(heap.statistics().bytes, 0u);
    EXPECT_LE(heap.statistics().pages, kCellSizes.size());  // one spare slab a class
    EXPECT_EQ(heap.statistics().pages, pages.live.size());
}

TEST_F(HeapTest, SaysWhenThereIsNoMemory) {
    pages.limit = 1;
    std::vector<void*> blocks;
    while (void* block = heap.allocate(100)) blocks.push_back(block);
    EXPECT_EQ(blocks.size(), (kPageSize - 48) / 128);
    EXPECT_EQ(heap.allocate(10000), nullptr);
    EXPECT_EQ(heap.allocate(UINT32_MAX), nullptr);
    for (void* block : blocks) heap.free(block);
}

TEST_F(HeapTest, RandomUse) {
    std::mt19937 random(2);
    std::vector<std::pair<unsigned char*, uint32_t>> live;
    for (int step = 0; step < 50000; ++step) {
        if (random() % 2 || live.empty()) {
            const uint32_t size = 1 + random() % (random() % 10 ? 300 : 9000);
            auto* block = static_cast<unsigned char*>(heap.allocate(size));
            block[0] = block[size - 1] = static_cast<unsigned char>(size);
            live.push_back({block, size});
        } else {
            std::swap(live[random() % live.size()], live.back());
            auto [block, size] = live.back();
            ASSERT_EQ(block[0], static_cast<unsigned char>(size));
            ASSERT_EQ(block[size - 1], static_cast<unsigned char>(size));
            heap.free(block);
            live.pop_back();
        }
    }
    for (auto [block, size] : live) heap.free(block);
    EXPECT_EQ(heap.statistics().bytes, 0u);
    EXPECT_LE(heap.statistics().pages, kCellSizes.size());
}

}  // namespace
