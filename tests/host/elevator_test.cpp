// sources:
// Elevators: the textbooks' request set under each policy, batches, deadlines, nobody forgotten.
#include <gtest/gtest.h>

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
                {Elevator::cscan, true, 382}, {Elevator::clook, true, 322},
                {Elevator::fscan, true, 299}, {Elevator::deadline, true, 322}};
    for (const auto& row : rows) {
        DiskHead head(200, 53, row.up);
        EXPECT_EQ(serve(head, row.policy, textbook()).size(), 8u);
        EXPECT_EQ(head.travel(), row.travel) << kElevatorNames[static_cast<int>(row.policy)];
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
