// The real-time class: reservations, fixed priorities, and what is left to the ordinary ones.
// sources: kernel/sched/policies/real_time.cpp

#include <gtest/gtest.h>

#include <array>

#include "kernel/sched/schedulers.hpp"
#include "tests/host/support/sched_simulator.hpp"

namespace {

using enum ReadyReason;
constexpr Nanoseconds at(uint64_t units) { return Nanoseconds(units * kUnit); }

struct RealTimeFixture : testing::Test {
    Schedulers policies;
    RealTimeClass ready{policies.get<RoundRobin>()};

    void set_quantum(uint32_t us) { policies.set_tunable("rr_quantum_us", std::array{us}); }
    void set_limit(uint32_t us) { ready.tunables.limit.set(std::array{us}); }
};
using RealTime = RealTimeFixture;

TEST_F(RealTime, AReservationIsKeptAndKeptWithin) {
    std::vector<Job> jobs{{.name = "reserved",
                           .arrival = 0,
                           .bursts = {{100}},
                           .sched_class = SchedClass::deadline,
                           .runtime = 3,
                           .deadline = 6,
                           .period = 10},
                          {.name = "fifo",
                           .arrival = 0,
                           .bursts = {{1000}},
                           .sched_class = SchedClass::fifo,
                           .rt_priority = 99}};
    SchedSimulator simulator(ready, jobs);
    const std::vector<Segment> segments = simulator.run(100);
    ASSERT_EQ(segments.size(), 20u);
    for (uint64_t i = 0; i < 10; ++i) {
        EXPECT_EQ(segments[2 * i], (Segment{0, 10 * i, 10 * i + 3}));
        EXPECT_EQ(segments[2 * i + 1], (Segment{1, 10 * i + 3, 10 * i + 10}));
    }
}

TEST_F(RealTime, EarliestDeadlineFirstMeetsAllAtFullUse) {
    // 1/2 + 1/4 + 2/8: the processor is full, and no deadline is missed.
    std::vector<Job> jobs;
    for (auto [runtime, period] : {std::pair{1u, 2u}, {1u, 4u}, {2u, 8u}}) {
        Job job{.name = "periodic", .bursts = {}, .sched_class = SchedClass::deadline};
        job.runtime = runtime;
        job.deadline = job.period = period;
        job.bursts = {{80 / period * runtime}};
        jobs.push_back(job);
    }
    SchedSimulator simulator(ready, jobs);
    simulator.run();
    for (size_t i = 0; i < jobs.size(); ++i)
        EXPECT_LE(simulator.finished_at(i), 80u) << "job of period " << jobs[i].period;
}

TEST_F(RealTime, AYieldEndsTheReservationOfThePeriod) {
    SchedEntity entity;
    entity.sched_class = SchedClass::deadline;
    entity.runtime = 2 * kUnit;
    entity.period = 10 * kUnit;
    ready.enqueue(entity, created, at(0));
    EXPECT_EQ(ready.pick_next(at(0)), &entity);
    EXPECT_EQ(ready.turn_end(entity), at(2));
    ready.enqueue(entity, yielded, at(1));
    EXPECT_EQ(ready.ready_count(), 0u);
    EXPECT_EQ(ready.next_event(), at(10));
    EXPECT_EQ(ready.pick_next(at(9)), nullptr);
    EXPECT_EQ(ready.pick_next(at(10)), &entity);
    EXPECT_EQ(ready.turn_end(entity), at(12));
}

TEST_F(RealTime, WakingLateGetsANewReservationInItsPeriodOnly) {
    SchedEntity entity;
    entity.sched_class = SchedClass::deadline;
    entity.runtime = 2 * kUnit;
    entity.relative_deadline = 5 * kUnit;
    entity.period = 10 * kUnit;
    ready.enqueue(entity, created, at(0));
    ready.pick_next(at(0));
    entity.stop(at(1));
    ready.enqueue(entity, woken, at(6));  // after its deadline, before its next period
    EXPECT_EQ(ready.next_event(), at(10));
    ready.dequeue(entity);
    EXPECT_EQ(ready.next_event(), kNever);
    ready.enqueue(entity, woken, at(50));
    EXPECT_EQ(ready.pick_next(at(50)), &entity);
    EXPECT_EQ(entity.deadline, at(55));
}

TEST_F(RealTime, ComesBeforeTheFairAndLeavesThemTheRest) {
    std::vector<Job> jobs{{.name = "fair", .arrival = 0, .bursts = {{6}}},
                          {.name = "fifo",
                           .arrival = 1,
                           .bursts = {{2, 2}, {1}},
                           .sched_class = SchedClass::fifo,
                           .rt_priority = 10}};
    set_quantum(4 * kUnitUs);
    SchedSimulator simulator(ready, jobs);
    const std::vector<Segment> expected{{0, 0, 1}, {1, 1, 3}, {0, 3, 5},
                                        {1, 5, 6}, {0, 6, 7}, {0, 7, 9}};
    EXPECT_EQ(simulator.run(), expected);  // the fair one's quantum of 4 ends at 7
}

TEST_F(RealTime, AnEndlessLoopLeavesTheFairTheirPart) {
    const uint32_t relief = 50'000 / kUnitUs;
    set_limit(10 * kUnitUs);
    std::vector<Job> jobs{{.name = "fair", .arrival = 5, .bursts = {{2 * relief}}},
                          {.name = "fifo",
                           .arrival = 0,
                           .bursts = {{1000}},
                           .sched_class = SchedClass::fifo,
                           .rt_priority = 99}};
    set_quantum(1000 * kUnitUs);
    const std::vector<Segment> expected{{1, 0, 15},
                                        {0, 15, 15 + relief},
                                        {1, 15 + relief, 25 + relief},
                                        {0, 25 + relief, 25 + 2 * relief}};
    std::vector<Segment> seen = SchedSimulator(ready, jobs).run(25 + 2 * relief);
    EXPECT_EQ(seen, expected);
}

TEST_F(RealTime, WithoutALimitItLeavesThemNothing) {
    set_limit(0);
    std::vector<Job> jobs{{.name = "fair", .arrival = 0, .bursts = {{1}}},
                          {.name = "fifo",
                           .arrival = 0,
                           .bursts = {{5000}},
                           .sched_class = SchedClass::fifo,
                           .rt_priority = 1}};
    SchedSimulator simulator(ready, jobs);
    simulator.run();
    EXPECT_GE(simulator.finished_at(0), 5000u);
}

// Changing one's own priority over and over makes nobody wait longer.
TEST_F(RealTime, TheLimitOutlastsChangesOfPriority) {
    set_limit(10 * kUnitUs);
    SchedEntity fifo, fair;
    fifo.sched_class = SchedClass::fifo;
    fifo.rt_priority = 1;
    ready.enqueue(fifo, created, at(0));
    EXPECT_EQ(ready.pick_next(at(0)), &fifo);
    ready.enqueue(fair, created, at(0));
    for (uint64_t now = 1; now < 10; ++now) {
        fifo.stop(at(now));
        fifo.rt_priority = now % 7 + 1;
        ready.adopt(fifo, at(now));
    }
    EXPECT_EQ(ready.turn_end(fifo), at(10));
    ready.enqueue(fifo, quantum_expired, at(10));
    EXPECT_EQ(ready.pick_next(at(10)), &fair);
    ready.dequeue(fifo);
}

// A thread that has kept the CPU from others of its own kind is not what the limit is about.
TEST_F(RealTime, WaitingForTheFairIsNotCounted) {
    set_limit(10 * kUnitUs);
    RealTimeClass fcfs{policies.get<Fcfs>()};
    fcfs.tunables = ready.tunables;
    std::vector<Job> jobs{{.name = "fair", .arrival = 0, .bursts = {{30}}},
                          {.name = "fair too", .arrival = 1, .bursts = {{5}}},
                          {.name = "fifo",
                           .arrival = 20,
                           .bursts = {{5}},
                           .sched_class = SchedClass::fifo,
                           .rt_priority = 1}};
    const std::vector<Segment> expected{{0, 0, 20}, {2, 20, 25}, {0, 25, 35}, {1, 35, 40}};
    EXPECT_EQ(SchedSimulator(fcfs, jobs).run(), expected);
}

}  // namespace
