// sources:
// Gates against values worked out by hand from the manual's drawing, and who may use INT n.
#include <gtest/gtest.h>

#include "kernel/arch/gate.hpp"

namespace {

TEST(Gate, Bits) {
    EXPECT_EQ(gate_descriptor(GateType::interrupt, 0, 8, 0xc0101234), 0xc0108e0000081234);
    EXPECT_EQ(gate_descriptor(GateType::trap, 3, 8, 0x89abcdef), 0x89abef000008cdef);
    EXPECT_EQ(gate_descriptor(GateType::interrupt, 2, 0xfff8, 0), 0x0000ce00fff80000);
    EXPECT_EQ(gate_descriptor(GateType::task, 0, 0x50, 0xc0101234), 0x0000850000500000);
}

TEST(Gate, Privilege) {
    for (uint32_t vector = 0; vector < 256; ++vector)
        EXPECT_EQ(gate_privilege(vector), vector == 3 || vector == 4 || vector == 0x80 ? 3u : 0u);
}

}  // namespace
