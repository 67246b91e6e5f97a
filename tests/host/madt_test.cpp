// The MADT: what QEMU gives, and tables that make no sense.
// sources: drivers/madt.cpp
#include "drivers/madt.hpp"

#include <gtest/gtest.h>

#include <initializer_list>
#include <vector>

namespace {

using Bytes = std::vector<uint8_t>;

Bytes table(std::initializer_list<Bytes> entries) {
    Bytes bytes(44);
    bytes[38] = 0xe0, bytes[39] = 0xfe;  // local APICs at 0xfee00000
    for (const Bytes& entry : entries) bytes.insert(bytes.end(), entry.begin(), entry.end());
    return bytes;
}
Bytes processor(uint8_t apic_id, bool enabled = true) {
    return {0, 8, apic_id, apic_id, enabled, 0, 0, 0};
}
const Bytes kIoApic = {1, 12, 0, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0};

TEST(Madt, ProcessorsControllersAndOverrides) {
    auto info = parse_madt(table({processor(0),
                                  processor(1),
                                  processor(2, false),
                                  kIoApic,
                                  {2, 10, 0, 0, 2, 0, 0, 0, 0, 0},
                                  {2, 10, 0, 9, 9, 0, 0, 0, 0x0d, 0},
                                  {2, 10, 0, 11, 11, 0, 0, 0, 0x0f, 0},
                                  {4, 6, 0xff, 0, 0, 1}}));
    ASSERT_TRUE(info);
    EXPECT_FALSE(info->incomplete);
    EXPECT_EQ(info->local_apic, 0xfee00000u);
    EXPECT_EQ(info->processor_count, 2u);
    EXPECT_EQ(info->processors[1], 1);
    EXPECT_EQ(info->io_apics[0].address, 0xfec00000u);
    EXPECT_EQ(info->isa[0].gsi, 2u);
    EXPECT_FALSE(info->isa[0].level);
    EXPECT_EQ(info->isa[4].gsi, 4u);
    EXPECT_TRUE(info->isa[9].level && !info->isa[9].active_low);
    EXPECT_TRUE(info->isa[11].level && info->isa[11].active_low);
}

TEST(Madt, NothingOfUse) {
    EXPECT_FALSE(parse_madt({}));
    EXPECT_FALSE(parse_madt(Bytes(43)));
    EXPECT_FALSE(parse_madt(table({})));
    EXPECT_FALSE(parse_madt(table({processor(0)})));
    EXPECT_FALSE(parse_madt(table({kIoApic})));
}

TEST(Madt, BrokenEntriesAreLeftOut) {
    for (const Bytes& broken : {Bytes{0, 0}, Bytes{0, 200, 1}, Bytes{1, 4, 0, 0},
                                Bytes{2, 10, 0, 99, 0, 0, 0, 0, 0, 0}}) {
        auto info = parse_madt(table({processor(0), kIoApic, broken}));
        ASSERT_TRUE(info);
        EXPECT_TRUE(info->incomplete);
        EXPECT_EQ(info->processor_count, 1u);
        EXPECT_EQ(info->isa[0].gsi, 0u);
    }
    EXPECT_TRUE(parse_madt(table({processor(0), kIoApic, Bytes{0}})));
}

TEST(Madt, MoreProcessorsThanWeHaveRoomFor) {
    Bytes bytes = table({kIoApic});
    for (uint8_t id = 0; id < 40; ++id)
        for (uint8_t byte : processor(id)) bytes.push_back(byte);
    auto info = parse_madt(bytes);
    ASSERT_TRUE(info);
    EXPECT_EQ(info->processor_count, MadtInfo::kProcessorsMost);
    EXPECT_TRUE(info->incomplete);
}

}  // namespace
