// Disk scheduling: which of the waiting requests is served next. Pure: requests, the head and the time
// in, a choice out. One instance belongs to one disk; policies may change between any two calls.
// Invariant: a request that waits is chosen after finitely many others under all policies but SSTF,
// which may starve it.
// Locks: none; the owner's (drivers/disk_queue.hpp).
#pragma once

#include <cstdint>

#include "kernel/lib/list.hpp"
#include "kernel/lib/policy_list.hpp"

struct DiskRequest {
    uint64_t sector = 0;    // the first
    uint32_t count = 0;     // sectors that the head moves over
    uint64_t arrival = 0;   // a serial number, growing
    uint64_t deadline = 0;  // in the caller's unit of time
    ListNode waiting_node{};

    DiskRequest() = default;
    DiskRequest(uint64_t first, uint32_t sectors) : sector(first), count(sectors) {}
};
using RequestList = List<DiskRequest, &DiskRequest::waiting_node>;  // in order of arrival

// Where a disk's head stands and which way it goes; its travel is counted in sectors.
struct DiskHead {
    uint64_t last = 0;  // the disk's last sector
    uint64_t at = 0;
    bool up = true;
    uint64_t travel = 0;

    uint64_t distance(uint64_t to) const { return to > at ? to - at : at - to; }
    void move_to(uint64_t to) {
        travel += distance(to);
        at = to;
    }
    void move_to_edge(bool upper) { move_to(upper ? last : 0); }
    // The head goes there, and on over what is transferred, which is no travel.
    void serve(uint64_t first, uint32_t count) {
        move_to(first);
        at += count;
    }
};

class Elevator {
  public:
    constexpr Elevator() = default;
    Elevator(const Elevator&) = delete;
    Elevator& operator=(const Elevator&) = delete;

    virtual std::string_view name() const = 0;
    // The request to serve now: at least one waits. The head goes to the disk's edge, if the policy
    // turns there; it does not go to the request.
    virtual DiskRequest* pick(RequestList& waiting, DiskHead& head, uint64_t now) = 0;

  protected:
    ~Elevator() = default;
};

constexpr uint64_t kAnyArrival = ~uint64_t{0};

// The nearest request at the head or beyond it on the way that the head goes, among those that
// arrived before `before`; null: there is none.
inline DiskRequest* nearest_ahead(RequestList& waiting, const DiskHead& head,
                                  uint64_t before = kAnyArrival) {
    DiskRequest* best = nullptr;
    for (DiskRequest& r : waiting) {
        if (r.arrival >= before || (head.up ? r.sector < head.at : r.sector > head.at)) continue;
        if (!best || head.distance(r.sector) < head.distance(best->sector)) best = &r;
    }
    return best;
}
