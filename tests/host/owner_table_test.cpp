// The leak check's table: what owners have, what they leak, and that removals lose nobody.
#include "mm/heap/owner_table.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace {

const void* block(uintptr_t i) { return reinterpret_cast<const void*>(i * 16); }

TEST(OwnerTable, FindsALeak) {
    OwnerTable<64, 8> table;
    table.note(block(1), 100, 0xc0101000);
    table.mark();
    for (uintptr_t i = 2; i < 12; ++i) table.note(block(i), 10, 0xc0102000);
    for (uintptr_t i = 2; i < 9; ++i) table.forget(block(i));
    table.forget(block(1));
    table.for_each([](const HeapOwner& owner) {
        const bool leaks = owner.code == 0xc0102000;
        EXPECT_EQ(owner.live, leaks ? 3u : 0u);
        EXPECT_EQ(owner.bytes, leaks ? 30u : 0u);
        EXPECT_EQ(owner.marked, leaks ? 0u : 1u);
        EXPECT_EQ(owner.total, leaks ? 10u : 1u);
    });
}

TEST(OwnerTable, CountsWhatItHasNoRoomFor) {
    OwnerTable<16, 2> table;
    for (uintptr_t i = 1; i <= 20; ++i) table.note(block(i), 1, 0x1000 * (1 + i % 3));
    EXPECT_GT(table.unseen(), 6u);
    for (uintptr_t i = 1; i <= 20; ++i) table.forget(block(i));
    table.for_each([](const HeapOwner& owner) { EXPECT_EQ(owner.live, 0u); });
}

TEST(OwnerTable, RandomUse) {
    OwnerTable<256, 16> table;
    std::map<uintptr_t, uintptr_t> live;  // block, owner
    std::mt19937 random(3);
    for (int step = 0; step < 50'000; ++step) {
        const uintptr_t i = 1 + random() % 400;
        if (live.count(i)) {
            table.forget(block(i));
            live.erase(i);
        } else if (live.size() < 180) {
            live[i] = 0x1000 * (1 + random() % 10);
            table.note(block(i), static_cast<uint32_t>(i), live[i]);
        }
    }
    EXPECT_EQ(table.unseen(), 0u);
    std::map<uintptr_t, uint32_t> count, bytes;
    for (auto [i, owner] : live) ++count[owner], bytes[owner] += static_cast<uint32_t>(i);
    table.for_each([&](const HeapOwner& owner) {
        EXPECT_EQ(owner.live, count[owner.code]);
        EXPECT_EQ(owner.bytes, bytes[owner.code]);
    });
}

}  // namespace
