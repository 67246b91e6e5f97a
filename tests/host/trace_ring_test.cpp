// sources:
// The ring of trace events: laps, what is lost, and readers that come too late.
#include "kernel/trace/ring.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace {

struct Ring {
    std::vector<TraceEvent> memory;
    TraceRing ring;
    explicit Ring(uint32_t shift) : memory(1u << shift, TraceEvent{}) {
        ring.use(memory.data(), shift);
    }
    void write(uint32_t value) {
        ring.write(value, 1, TraceType::mark_event, 7, value, 0, 0, ~value);
    }
};

TEST(TraceRing, AnEventComesBackWhole) {
    Ring r(3);
    r.write(42);
    TraceEvent event{};
    ASSERT_TRUE(r.ring.read(0, event));
    EXPECT_EQ(event.tsc, 42u);
    EXPECT_EQ(event.cpu, 1);
    EXPECT_EQ(event.tid, 7);
    EXPECT_EQ(event.args[0], 42u);
    EXPECT_EQ(event.args[3], ~42u);
    EXPECT_EQ(static_cast<TraceType>(event.type), TraceType::mark_event);
}

TEST(TraceRing, KeepsTheLatestAndCountsTheLost) {
    Ring r(3);
    for (uint32_t i = 0; i < 21; ++i) r.write(i);
    EXPECT_EQ(r.ring.written(), 21u);
    EXPECT_EQ(r.ring.first(), 13u);
    EXPECT_EQ(r.ring.lost(), 13u);
    TraceEvent event{};
    EXPECT_FALSE(r.ring.read(12, event));
    for (uint32_t i = 13; i < 21; ++i) {
        ASSERT_TRUE(r.ring.read(i, event));
        EXPECT_EQ(event.args[0], i);
    }
    EXPECT_FALSE(r.ring.read(21, event));  // not yet written: its slot is of an earlier lap
}

TEST(TraceRing, ClearedEventsAreNotLost) {
    Ring r(2);
    for (uint32_t i = 0; i < 3; ++i) r.write(i);
    r.ring.clear();
    EXPECT_EQ(r.ring.first(), 3u);
    EXPECT_EQ(r.ring.lost(), 0u);
    for (uint32_t i = 0; i < 6; ++i) r.write(i);
    EXPECT_EQ(r.ring.first(), 5u);
    EXPECT_EQ(r.ring.lost(), 2u);
}

}  // namespace
