// The index of a large directory in memory, against a map: what was added is found, what was removed is
// not, colliding names are told apart, and the first block with room is the first one.
// sources: kernel/lib/format.cpp
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

#include "fs/ext2/name_index.hpp"

using ext2::NameIndex;

namespace {

bool has(const NameIndex& index, uint32_t hash, uint32_t position) {
    return index.find(hash, [&](uint32_t p) { return p == position; }).has_value();
}

TEST(NameIndex, AsAMapDoes) {
    std::mt19937 random(1);
    NameIndex index;
    std::map<uint32_t, uint32_t> model;  // position to hash
    for (int step = 0; step < 8000; ++step) {
        const uint32_t position = random() % 3000 * 4;
        const auto known = model.find(position);
        if (known == model.end()) {
            // Hashes of few kinds, and at the table's end: long rows of slots that wrap around.
            const uint32_t hash = random() % 2 ? random() % 40 : 0xfffffff0 | random() % 16;
            ASSERT_TRUE(index.add(hash, position).is_ok());
            model[position] = hash;
        } else {
            index.remove(known->second, position);
            EXPECT_FALSE(has(index, known->second, position));
            model.erase(known);
        }
        ASSERT_EQ(index.count(), model.size());
        if (step % 1000) continue;
        for (const auto& [at, hash] : model) ASSERT_TRUE(has(index, hash, at)) << step;
    }
    index.remove(7, 1);  // never there
    EXPECT_EQ(index.count(), model.size());
}

TEST(NameIndex, TheFirstBlockWithRoom) {
    std::mt19937 random(2);
    NameIndex index;
    std::vector<uint32_t> rooms;
    EXPECT_FALSE(index.block_with_room(12));
    for (int step = 0; step < 1500; ++step) {
        const auto block = static_cast<uint32_t>(random() % (rooms.size() + 1));
        const uint32_t room = random() % 4 ? random() % 40 : random() % 4097;
        if (block == rooms.size()) rooms.push_back(0);
        rooms[block] = room;
        ASSERT_TRUE(index.set_room(block, room).is_ok());
        const uint32_t wanted = 12 + random() % 300;
        std::optional<uint32_t> first;
        for (uint32_t i = 0; i < rooms.size() && !first; ++i)
            if (rooms[i] >= wanted) first = i;
        ASSERT_EQ(index.block_with_room(wanted), first) << step;
    }
}

TEST(NameIndex, NamesThatDifferLittleSpread) {
    std::map<uint32_t, int> buckets;
    for (int i = 0; i < 4096; ++i) ++buckets[NameIndex::hash("file" + std::to_string(i)) & 4095];
    int fullest = 0;
    for (const auto& [bucket, count] : buckets) fullest = std::max(fullest, count);
    EXPECT_LT(fullest, 12);
}

}  // namespace
