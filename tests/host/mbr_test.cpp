// sources:
// Partition tables: primary and chained ones, and whatever a disk may hold instead.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <tuple>
#include <vector>

#include "drivers/mbr.hpp"

namespace {

using Sectors = std::map<uint64_t, std::vector<uint8_t>>;
using Found = std::vector<std::tuple<uint32_t, uint64_t, uint64_t>>;

void put(Sectors& disk, uint64_t at, uint32_t which, uint8_t type, uint32_t first, uint32_t count) {
    auto& sector = disk[at];
    sector.resize(512);
    sector[510] = 0x55;
    sector[511] = 0xAA;
    uint8_t* p = &sector[446 + which * 16];
    p[4] = type;
    for (uint32_t i = 0; i < 4; ++i) {
        p[8 + i] = static_cast<uint8_t>(first >> 8 * i);
        p[12 + i] = static_cast<uint8_t>(count >> 8 * i);
    }
}

Found partitions(const Sectors& disk, uint64_t sectors) {
    Found found;
    mbr::for_each_partition(
        sectors, 63,
        [&](uint64_t at) -> std::span<const uint8_t> {
            auto sector = disk.find(at);
            return sector == disk.end() ? std::span<const uint8_t>() : sector->second;
        },
        [&](uint32_t number, uint64_t first, uint64_t count, uint8_t) {
            found.emplace_back(number, first, count);
        });
    return found;
}

TEST(Mbr, PrimaryAndLogical) {
    Sectors disk;
    put(disk, 0, 0, 0x83, 63, 1000);
    put(disk, 0, 2, 0x0C, 2000, 1000);
    put(disk, 0, 3, 0x05, 4000, 4000);
    put(disk, 4000, 0, 0x83, 63, 500);
    put(disk, 4000, 1, 0x05, 1000, 1000);
    put(disk, 5000, 0, 0x82, 10, 990);
    EXPECT_EQ(partitions(disk, 8000),
              (Found{{1, 63, 1000}, {3, 2000, 1000}, {5, 4063, 500}, {6, 5010, 990}}));
}

TEST(Mbr, NothingBeyondTheDiskAndNoEndlessChain) {
    Sectors disk;
    put(disk, 0, 0, 0x83, 63, 1000);
    EXPECT_EQ(partitions(disk, 1062), Found{});
    EXPECT_EQ(partitions(disk, 1063).size(), 1u);
    put(disk, 0, 1, 0x0F, 100, 900);
    put(disk, 100, 0, 0x83, 1, 10);
    put(disk, 100, 1, 0x05, 0, 900);  // itself again
    EXPECT_EQ(partitions(disk, 1000).size(), 59u);
}

TEST(Mbr, ABootSectorOfFatIsNoTable) {
    Sectors disk;
    put(disk, 0, 0, 0x83, 63, 100);
    std::copy_n("FAT16", 5, &disk[0][0x36]);
    EXPECT_EQ(partitions(disk, 1000), Found{});
    put(disk, 0, 0, 0x83, 63, 100);
    disk[0][0x36] = 0;
    disk[0][446] = 0x12;
    EXPECT_EQ(partitions(disk, 1000), Found{});
}

TEST(Mbr, AnyBytesStayInside) {
    std::mt19937 random(1);
    for (uint32_t round = 0; round < 20'000; ++round) {
        Sectors disk;
        for (uint64_t at = 0; at < 8; ++at)
            for (uint32_t i = 0; i < 4; ++i)
                put(disk, at, i, random() % 2 ? 5 : static_cast<uint8_t>(random()), random() % 10,
                    random() % 10);
        for (auto [number, first, count] : partitions(disk, 8)) {
            ASSERT_GE(first, 1u);
            ASSERT_LE(first + count, 8u);
        }
    }
}

}  // namespace
