// sources:
// Elevators: the textbooks' request set under each policy, random sets against an independent
// calculation in both directions, batches, deadlines, no request forgotten.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "drivers/elevator.hpp"

namespace {

struct Request {
    uint64_t sector;
    uint64_t arrival;
    uint64_t deadline = ~uint64_t{0};
    uint32_t count = 0;  // cylinders: the head stays where it is
};

std::vector<uint64_t> serve(DiskHead& head, Elevator policy, std::vector<Request> waiting,
                            uint64_t now = 0) {
    std::vector<uint64_t> order;
    while (Request* r = head.choose(policy, waiting, now)) {
        order.push_back(r->sector);
        waiting.erase(waiting.begin() + (r - waiting.data()));
    }
    return order;
}

// 200 cylinders, head at 53.
std::vector<Request> textbook() {
    std::vector<Request> set;
    for (uint64_t sector : {98, 183, 37, 122, 14, 124, 65, 67}) set.push_back({sector, set.size()});
    return set;
}

TEST(Elevator, TravelOfTheTextbooksRequests) {
    struct {
        Elevator policy;
        bool up;
        uint64_t travel;
    } rows[] = {{Elevator::fcfs, true, 640},  {Elevator::sstf, true, 236},
                {Elevator::scan, false, 236}, {Elevator::scan, true, 331},
                {Elevator::look, false, 208}, {Elevator::look, true, 299},
                {Elevator::cscan, true, 382}, {Elevator::cscan, false, 386},
                {Elevator::clook, true, 322}, {Elevator::clook, false, 326},
                {Elevator::fscan, true, 299}, {Elevator::deadline, true, 322}};
    for (const auto& row : rows) {
        DiskHead head(200, 53, row.up);
        EXPECT_EQ(serve(head, row.policy, textbook()).size(), 8u);
        EXPECT_EQ(head.travel(), row.travel) << kElevatorNames[static_cast<int>(row.policy)];
    }
}

// Tracks of a second textbook; head at 100, towards 0.
TEST(Elevator, CirclesGoDownToo) {
    std::vector<Request> set;
    for (uint64_t track : {55, 58, 39, 18, 90, 160, 150, 38, 184})
        set.push_back({track, set.size()});
    const std::vector<uint64_t> order{90, 58, 55, 39, 38, 18, 184, 160, 150};
    DiskHead cscan(200, 100, false), clook(200, 100, false);
    EXPECT_EQ(serve(cscan, Elevator::cscan, set), order);
    EXPECT_EQ(cscan.travel(), 348u);
    EXPECT_EQ(serve(clook, Elevator::clook, set), order);
    EXPECT_EQ(clook.travel(), 282u);
}

// The travel of a whole set, from its smallest and largest requests on each side of the head.
uint64_t expected_travel(Elevator policy, const std::vector<uint64_t>& set, uint64_t cylinders,
                         uint64_t head, bool up) {
    std::vector<uint64_t> sorted = set;
    std::ranges::sort(sorted);
    if (!up) {  // the same picture, upside down
        for (uint64_t& cylinder : sorted) cylinder = cylinders - 1 - cylinder;
        std::ranges::reverse(sorted);
        head = cylinders - 1 - head;
    }
    const uint64_t low = sorted.front(), high = sorted.back(), edge = cylinders - 1;
    const bool behind = low < head;
    const auto first_ahead = std::ranges::lower_bound(sorted, head);
    const bool in_front = first_ahead != sorted.end();
    switch (policy) {
        case Elevator::scan: return behind ? edge - head + edge - low : high - head;
        case Elevator::look:
            if (!behind) return high - head;
            return in_front ? high - head + high - low : head - low;
        case Elevator::cscan:
            return behind ? edge - head + edge + *std::prev(first_ahead) : high - head;
        default:
            if (!behind) return high - head;
            if (!in_front) return head - low + high - low;
            return high - head + high - low + *std::prev(first_ahead) - low;
    }
}

TEST(Elevator, RandomSetsInBothDirections) {
    std::mt19937 random(2);
    for (uint32_t round = 0; round < 2000; ++round) {
        const uint64_t cylinders = 2 + random() % 300, at = random() % cylinders;
        const bool up = random() % 2;
        std::vector<Request> set;
        std::vector<uint64_t> wanted;
        for (uint32_t count = 1 + random() % 20; set.size() < count;) {
            wanted.push_back(random() % cylinders);
            set.push_back({wanted.back(), set.size()});
        }
        uint64_t one_by_one = 0, from = at;
        for (uint64_t cylinder : wanted) {
            one_by_one += std::max(from, cylinder) - std::min(from, cylinder);
            from = cylinder;
        }
        DiskHead fcfs(cylinders, at, up);
        serve(fcfs, Elevator::fcfs, set);
        EXPECT_EQ(fcfs.travel(), one_by_one);
        for (Elevator policy : {Elevator::scan, Elevator::look, Elevator::cscan, Elevator::clook}) {
            DiskHead head(cylinders, at, up);
            EXPECT_EQ(serve(head, policy, set).size(), set.size());
            EXPECT_EQ(head.travel(), expected_travel(policy, wanted, cylinders, at, up))
                << kElevatorNames[static_cast<int>(policy)] << " in round " << round;
        }
        DiskHead sstf(cylinders, at, up);
        from = at;
        std::vector<Request> waiting = set;
        while (Request* chosen = sstf.choose(Elevator::sstf, waiting, 0)) {
            for (const Request& other : waiting)
                EXPECT_LE(std::max(from, chosen->sector) - std::min(from, chosen->sector),
                          std::max(from, other.sector) - std::min(from, other.sector));
            from = chosen->sector;
            waiting.erase(waiting.begin() + (chosen - waiting.data()));
        }
    }
}

TEST(Elevator, OrderOfSstfAndLook) {
    DiskHead a(200, 53), b(200, 53, false);
    EXPECT_EQ(serve(a, Elevator::sstf, textbook()),
              (std::vector<uint64_t>{65, 67, 37, 14, 98, 122, 124, 183}));
    EXPECT_EQ(serve(b, Elevator::look, textbook()),
              (std::vector<uint64_t>{37, 14, 65, 67, 98, 122, 124, 183}));
}

TEST(Elevator, NStepServesTheOldestFourFirst) {
    DiskHead head(200, 53);
    EXPECT_EQ(serve(head, Elevator::nstep, textbook()),
              (std::vector<uint64_t>{98, 122, 183, 37, 14, 65, 67, 124}));
}

TEST(Elevator, FscanLetsNewcomersWaitForTheNextSweep) {
    DiskHead head(200, 50);
    std::vector<Request> waiting = {{60, 0}, {90, 1}};
    Request* first = head.choose(Elevator::fscan, waiting, 0);
    EXPECT_EQ(first->sector, 60u);
    waiting = {{90, 1}, {70, 2}};
    EXPECT_EQ(head.choose(Elevator::fscan, waiting, 0)->sector, 90u);
    waiting = {{70, 2}};
    EXPECT_EQ(head.choose(Elevator::fscan, waiting, 0)->sector, 70u);
}

// Neighbours go along: the head is behind the last of them, and was before the first.
TEST(Elevator, WhatIsServedMayBeMoreThanWasPicked) {
    DiskHead head(1000, 100);
    std::vector<Request> waiting = {{208, 0}};
    EXPECT_EQ(head.pick(Elevator::look, waiting, 0)->sector, 208u);
    EXPECT_EQ(head.position(), 100u);
    head.serve(200, 32);
    EXPECT_EQ(head.travel(), 100u);
    EXPECT_EQ(head.position(), 232u);
}

TEST(Elevator, OverdueRequestsComeFirst) {
    DiskHead head(200, 53);
    std::vector<Request> waiting = {{54, 0, 100}, {199, 1, 20}, {10, 2, 10}};
    EXPECT_EQ(serve(head, Elevator::deadline, waiting, 15), (std::vector<uint64_t>{10, 54, 199}));
}

TEST(Elevator, EachRequestIsServedOnceUnderChangingPolicies) {
    std::mt19937 random(1);
    for (uint32_t round = 0; round < 200; ++round) {
        DiskHead head(1000, random() % 1000);
        std::vector<Request> waiting;
        uint64_t served = 0, arrived = 0;
        while (served < 50) {
            if (arrived < 50 && (waiting.empty() || random() % 2))
                waiting.push_back({random() % 1000, arrived++, random() % 100, 8});
            if (random() % 2 || waiting.empty()) continue;
            auto policy = static_cast<Elevator>(random() % kElevatorCount);
            Request* r = head.choose(policy, waiting, served);
            ASSERT_NE(r, nullptr);
            waiting.erase(waiting.begin() + (r - waiting.data()));
            ++served;
        }
        EXPECT_TRUE(waiting.empty());
    }
}

}  // namespace
