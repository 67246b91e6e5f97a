// sources:
// Elevators: the textbooks' request set under each policy, random sets against an independent
// calculation in both directions, batches, deadlines, no request forgotten.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <random>
#include <string_view>
#include <vector>

#include "drivers/elevator_list.hpp"

namespace {

struct Request {
    uint64_t sector;
    uint64_t arrival;
    uint64_t deadline = ~uint64_t{0};
    uint32_t count = 0;  // cylinders: the head stays where it is
};

// A disk: its head, its policies, and what waits.
struct Disk {
    explicit Disk(uint64_t sectors, uint64_t at, bool up = true)
        : head{.last = sectors - 1, .at = at, .up = up} {}

    void add(const Request& r) {
        DiskRequest& request = *all.emplace_back(std::make_unique<DiskRequest>(r.sector, r.count));
        request.arrival = r.arrival;
        request.deadline = r.deadline;
        waiting.push_back(request);
    }
    // What it serves next, and its sector.
    uint64_t serve_one(std::string_view policy, uint64_t now = 0) {
        DiskRequest* next = policies.find(policy)->pick(waiting, head, now);
        head.serve(next->sector, next->count);
        waiting.remove(*next);
        return next->sector;
    }
    std::vector<uint64_t> serve(std::string_view policy, const std::vector<Request>& set,
                                uint64_t now = 0) {
        for (const Request& r : set) add(r);
        std::vector<uint64_t> order;
        while (!waiting.empty()) order.push_back(serve_one(policy, now));
        return order;
    }

    DiskHead head;
    Elevators policies;
    RequestList waiting;
    std::vector<std::unique_ptr<DiskRequest>> all;
};

// 200 cylinders, head at 53.
std::vector<Request> textbook() {
    std::vector<Request> set;
    for (uint64_t sector : {98, 183, 37, 122, 14, 124, 65, 67}) set.push_back({sector, set.size()});
    return set;
}

TEST(Elevator, TravelOfTheTextbooksRequests) {
    struct {
        std::string_view policy;
        bool up;
        uint64_t travel;
    } rows[] = {{"fcfs", true, 640},   {"sstf", true, 236},   {"scan", false, 236},
                {"scan", true, 331},   {"look", false, 208},  {"look", true, 299},
                {"cscan", true, 382},  {"cscan", false, 386}, {"clook", true, 322},
                {"clook", false, 326}, {"fscan", true, 299},  {"deadline", true, 322}};
    for (const auto& row : rows) {
        Disk disk(200, 53, row.up);
        EXPECT_EQ(disk.serve(row.policy, textbook()).size(), 8u);
        EXPECT_EQ(disk.head.travel, row.travel) << row.policy;
    }
}

// Tracks of a second textbook; head at 100, towards 0.
TEST(Elevator, CirclesGoDownToo) {
    std::vector<Request> set;
    for (uint64_t track : {55, 58, 39, 18, 90, 160, 150, 38, 184})
        set.push_back({track, set.size()});
    const std::vector<uint64_t> order{90, 58, 55, 39, 38, 18, 184, 160, 150};
    Disk cscan(200, 100, false), clook(200, 100, false);
    EXPECT_EQ(cscan.serve("cscan", set), order);
    EXPECT_EQ(cscan.head.travel, 348u);
    EXPECT_EQ(clook.serve("clook", set), order);
    EXPECT_EQ(clook.head.travel, 282u);
}

// The travel of a whole set, from its smallest and largest requests on each side of the head.
uint64_t expected_travel(std::string_view policy, const std::vector<uint64_t>& set,
                         uint64_t cylinders, uint64_t head, bool up) {
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
    if (policy == "scan") return behind ? edge - head + edge - low : high - head;
    if (policy == "cscan")
        return behind ? edge - head + edge + *std::prev(first_ahead) : high - head;
    if (!behind) return high - head;
    if (policy == "look") return in_front ? high - head + high - low : head - low;
    if (!in_front) return head - low + high - low;
    return high - head + high - low + *std::prev(first_ahead) - low;
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
        Disk fcfs(cylinders, at, up);
        fcfs.serve("fcfs", set);
        EXPECT_EQ(fcfs.head.travel, one_by_one);
        for (std::string_view policy : {"scan", "look", "cscan", "clook"}) {
            Disk disk(cylinders, at, up);
            EXPECT_EQ(disk.serve(policy, set).size(), set.size());
            EXPECT_EQ(disk.head.travel, expected_travel(policy, wanted, cylinders, at, up))
                << policy << " in round " << round;
        }
        Disk sstf(cylinders, at, up);
        for (const Request& r : set) sstf.add(r);
        while (!sstf.waiting.empty()) {
            const DiskHead before = sstf.head;
            const uint64_t chosen = sstf.serve_one("sstf");
            for (const DiskRequest& other : sstf.waiting)
                EXPECT_LE(before.distance(chosen), before.distance(other.sector));
        }
    }
}

TEST(Elevator, OrderOfSstfAndLook) {
    Disk a(200, 53), b(200, 53, false);
    EXPECT_EQ(a.serve("sstf", textbook()),
              (std::vector<uint64_t>{65, 67, 37, 14, 98, 122, 124, 183}));
    EXPECT_EQ(b.serve("look", textbook()),
              (std::vector<uint64_t>{37, 14, 65, 67, 98, 122, 124, 183}));
}

TEST(Elevator, NStepServesTheOldestFourFirst) {
    Disk disk(200, 53);
    EXPECT_EQ(disk.serve("nstep", textbook()),
              (std::vector<uint64_t>{98, 122, 183, 37, 14, 65, 67, 124}));
}

TEST(Elevator, FscanLetsNewcomersWaitForTheNextSweep) {
    Disk disk(200, 50);
    disk.add({60, 0});
    disk.add({90, 1});
    EXPECT_EQ(disk.serve_one("fscan"), 60u);
    disk.add({70, 2});
    EXPECT_EQ(disk.serve_one("fscan"), 90u);
    EXPECT_EQ(disk.serve_one("fscan"), 70u);
}

// Neighbours go along: the head is behind the last of them, and was before the first.
TEST(Elevator, WhatIsServedMayBeMoreThanWasPicked) {
    Disk disk(1000, 100);
    disk.add({208, 0});
    EXPECT_EQ(disk.policies.find("look")->pick(disk.waiting, disk.head, 0)->sector, 208u);
    EXPECT_EQ(disk.head.at, 100u);
    disk.head.serve(200, 32);
    EXPECT_EQ(disk.head.travel, 100u);
    EXPECT_EQ(disk.head.at, 232u);
}

TEST(Elevator, OverdueRequestsComeFirst) {
    Disk disk(200, 53);
    EXPECT_EQ(disk.serve("deadline", {{54, 0, 100}, {199, 1, 20}, {10, 2, 10}}, 15),
              (std::vector<uint64_t>{10, 54, 199}));
}

TEST(Elevator, EachRequestIsServedOnceUnderChangingPolicies) {
    std::mt19937 random(1);
    for (uint32_t round = 0; round < 200; ++round) {
        Disk disk(1000, random() % 1000);
        uint64_t served = 0, arrived = 0;
        while (served < 50) {
            if (arrived < 50 && (disk.waiting.empty() || random() % 2))
                disk.add({random() % 1000, arrived++, random() % 100, 8});
            if (random() % 2 || disk.waiting.empty()) continue;
            disk.serve_one(Elevators::kNames[random() % Elevators::kCount], served);
            ++served;
        }
        EXPECT_TRUE(disk.waiting.empty());
    }
}

}  // namespace
