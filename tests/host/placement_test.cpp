// The placements: which hole each takes, the four ways to merge, compaction; and that under random
// use blocks are aligned, disjoint, keep their contents, and all comes back.
#include "mm/heap/placement_list.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <random>
#include <vector>

namespace {

constexpr uint32_t kAreaBytes = 64 * 1024;

struct Heap {
    explicit Heap(uint32_t index) : set(std::make_unique<Placements>()), place(set->at(index)) {}
    ~Heap() {
        for (void* area : areas) std::free(area);
    }
    void add(uint32_t bytes = kAreaBytes) {
        areas.push_back(std::aligned_alloc(bytes, bytes));
        place.add(areas.back(), bytes);
    }
    std::unique_ptr<Placements> set;
    Placement& place;
    std::vector<void*> areas;
};

enum { first, next, best, worst, quick, buddy };

// Holes of 1000, 400, 2000 and the rest, in this order, with blocks between them.
struct Holes : Heap {
    explicit Holes(uint32_t index) : Heap(index) {
        add();
        for (const uint32_t bytes : {1000u, 600u, 600u, 600u, 2000u, 600u})
            blocks.push_back(place.take(bytes));
        for (const int i : {0, 2, 4}) place.give(blocks[i]);
    }
    int chosen(uint32_t bytes) {  // by the block that was there; 6: the rest
        const auto* at = static_cast<const char*>(place.take(bytes));
        for (int i = 5; i >= 0; --i)
            if (at >= blocks[i]) return at == blocks[i] ? i : 6;
        return -1;
    }
    std::vector<void*> blocks;
};

TEST(Placement, FirstFitTakesTheLowest) {
    Holes heap(first);
    EXPECT_EQ(heap.chosen(550), 0);
    EXPECT_EQ(heap.chosen(550), 2);  // 400 are left of the first
    EXPECT_EQ(heap.chosen(1000), 4);
}
TEST(Placement, NextFitGoesOnWhereItWas) {
    Holes heap(next);
    // The last search ended at the rest, in which the last block was placed.
    int round = heap.chosen(550);
    EXPECT_EQ(round, 6);
    while (round == 6) round = heap.chosen(550);
    EXPECT_EQ(round, 0);
    EXPECT_EQ(heap.chosen(550), 2);
    EXPECT_EQ(heap.chosen(100), 4);  // not the rest of the first
}
TEST(Placement, BestFitTakesTheTightest) {
    Holes heap(best);
    EXPECT_EQ(heap.chosen(550), 2);
    EXPECT_EQ(heap.chosen(550), 0);
    EXPECT_EQ(heap.chosen(3000), 6);
}
TEST(Placement, WorstFitTakesTheLargest) {
    Holes heap(worst);
    EXPECT_EQ(heap.chosen(550), 6);
}
TEST(Placement, QuickFitKeepsSizes) {
    Heap heap(quick);
    heap.add();
    void* a = heap.place.take(100);
    void* b = heap.place.take(100);
    heap.place.take(100);
    heap.place.give(a);
    heap.place.give(b);
    const uint64_t searched = heap.place.counts().searched;
    EXPECT_EQ(heap.place.take(97), b);
    EXPECT_EQ(heap.place.take(110), a);
    EXPECT_EQ(heap.place.counts().searched, searched);
    heap.place.give(a);
    heap.place.give(b);
    // What is kept becomes one hole when nothing else fits.
    void* large = heap.place.take(kAreaBytes - 4000);
    ASSERT_NE(large, nullptr);
    while (heap.place.take(600)) {
    }
    EXPECT_EQ(heap.place.take(200), a);
}
TEST(Placement, BuddiesSplitAndJoin) {
    Heap heap(buddy);
    heap.add();
    void* a = heap.place.take(90);
    void* b = heap.place.take(90);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(a) ^ reinterpret_cast<uintptr_t>(b), 128u);
    EXPECT_EQ(heap.place.figures().used, 256u);
    heap.place.give(a);
    heap.place.give(b);
    EXPECT_EQ(heap.place.figures().holes, 1u);
    EXPECT_EQ(heap.place.figures().largest, kAreaBytes);
}

TEST(Placement, TheFourWaysToMerge) {
    Heap heap(first);
    heap.add();
    void* b[5];
    for (void*& block : b) block = heap.place.take(100);
    const auto merges = [&](Merge how) {
        return heap.place.counts().merges[static_cast<uint32_t>(how)];
    };
    heap.place.give(b[0]);
    EXPECT_EQ(merges(Merge::none), 1u);
    heap.place.give(b[1]);
    EXPECT_EQ(merges(Merge::below), 1u);
    heap.place.give(b[4]);
    EXPECT_EQ(merges(Merge::above), 1u);  // the rest of the area
    heap.place.give(b[2]);
    EXPECT_EQ(merges(Merge::below), 2u);
    heap.place.give(b[3]);
    EXPECT_EQ(merges(Merge::both), 1u);
    EXPECT_EQ(heap.place.figures().holes, 1u);
    EXPECT_EQ(heap.place.remove_empty_area().start, heap.areas[0]);
    EXPECT_EQ(heap.place.remove_empty_area().start, nullptr);
}

TEST(Placement, CompactionMakesOneHole) {
    for (uint32_t index = 0; index < Placements::kCount; ++index) {
        Heap heap(index);
        TaggedHeap* compactable = heap.place.compactable();
        if (!compactable) continue;
        heap.add();
        std::map<void*, uint32_t> live;
        std::vector<void*> all;
        for (uint32_t i = 0; i < 100; ++i) {
            all.push_back(heap.place.take(20 + 7 * i));
            std::memset(all.back(), static_cast<int>(i), 20 + 7 * i);
        }
        for (uint32_t i = 0; i < 100; ++i)
            if (i % 3)
                heap.place.give(all[i]);
            else
                live[all[i]] = i;
        EXPECT_GT(heap.place.figures().holes, 30u);
        compactable->compact([&](void* from, void* to) {
            ASSERT_LT(to, from);
            const uint32_t i = live.at(from);
            live.erase(from);
            live[to] = i;
        });
        EXPECT_EQ(heap.place.figures().holes, 1u);
        EXPECT_EQ(heap.place.figures().external_fragmentation(), 0u);
        for (const auto& [block, i] : live) {
            for (uint32_t k = 0; k < 20 + 7 * i; ++k)
                ASSERT_EQ(static_cast<const uint8_t*>(block)[k], i);
            heap.place.give(block);
        }
        EXPECT_EQ(heap.place.remove_empty_area().start, heap.areas[0]);
    }
}

struct Pieces final : HeapVisitor {
    std::vector<HeapPiece> list;
    void visit(const HeapPiece& piece) override { list.push_back(piece); }
};

TEST(Placement, RandomUse) {
    for (uint32_t index = 0; index < Placements::kCount; ++index) {
        Heap heap(index);
        heap.add();
        std::mt19937 random(index);
        std::vector<std::pair<uint8_t*, uint32_t>> live;
        for (int step = 0; step < 20'000; ++step) {
            if (random() % 2 || live.empty()) {
                const uint32_t bytes = random() % (random() % 10 ? 200 : 4000);
                auto* block = static_cast<uint8_t*>(heap.place.take(bytes));
                if (!block) {
                    if (heap.areas.size() < 8) heap.add();
                    continue;
                }
                ASSERT_EQ(reinterpret_cast<uintptr_t>(block) % kBlockAlignment, 0u);
                ASSERT_GE(heap.place.usable(block), bytes);
                std::memset(block, static_cast<uint8_t>(step), bytes);
                if (bytes) block[0] = static_cast<uint8_t>(bytes);
                live.push_back({block, bytes});
            } else {
                std::swap(live[random() % live.size()], live.back());
                auto [block, bytes] = live.back();
                if (bytes) {
                    ASSERT_EQ(block[0], static_cast<uint8_t>(bytes));
                }
                if (bytes > 2) {
                    ASSERT_EQ(block[1], block[bytes - 1]);
                }
                heap.place.give(block);
                live.pop_back();
            }
        }
        const HeapFigures f = heap.place.figures();
        EXPECT_EQ(f.blocks, live.size());
        Pieces pieces;
        heap.place.visit(pieces);
        uint32_t used = 0;
        for (const HeapPiece& piece : pieces.list) used += piece.hole ? 0 : piece.bytes;
        EXPECT_EQ(used, f.used) << heap.place.name();
        for (auto [block, bytes] : live) heap.place.give(block);
        size_t empty = 0;
        while (heap.place.remove_empty_area().start) ++empty;
        EXPECT_EQ(empty, heap.areas.size());
        EXPECT_EQ(heap.place.counts().total, 0u);
    }
}

}  // namespace
