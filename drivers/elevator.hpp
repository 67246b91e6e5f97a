// Disk scheduling: which of the waiting requests is served next. Pure: requests and the time in, a
// choice out; the head's travel is counted on the way, in sectors.
// Invariant: a request that waits is chosen after finitely many others under all policies but
// SSTF, which may starve it.
// Locks: none; the owner's (drivers/disk_queue.hpp).
#pragma once

#include <concepts>
#include <cstdint>
#include <string_view>

enum class Elevator : uint8_t { fcfs, sstf, scan, cscan, look, clook, nstep, fscan, deadline };
constexpr std::string_view kElevatorNames[] = {"fcfs",  "sstf",  "scan",  "cscan",   "look",
                                               "clook", "nstep", "fscan", "deadline"};
constexpr uint32_t kElevatorCount = sizeof kElevatorNames / sizeof kElevatorNames[0];

template <typename R>
concept DiskRequest = requires(R r) {
    { r.sector } -> std::convertible_to<uint64_t>;
    { r.count } -> std::convertible_to<uint32_t>;     // sectors that the head moves over
    { r.arrival } -> std::convertible_to<uint64_t>;   // a serial number, growing
    { r.deadline } -> std::convertible_to<uint64_t>;  // in the caller's unit of time
};

// The state of one disk's head. Policies may change between any two calls.
class DiskHead {
  public:
    static constexpr uint32_t kStep = 4;  // requests of a batch under N-step SCAN

    constexpr explicit DiskHead(uint64_t sectors, uint64_t at = 0, bool up = true)
        : last_(sectors ? sectors - 1 : 0), at_(at), up_(up) {}

    // The request to serve now; null if none waits. `waiting`: any range, in order of arrival. The
    // head goes to the disk's edge, if the policy does before it turns.
    template <typename Range>
    constexpr auto pick(Elevator policy, Range& waiting, uint64_t now) {
        using R = std::remove_reference_t<decltype(*waiting.begin())>;
        static_assert(DiskRequest<R>);
        R* oldest = nullptr;
        for (R& r : waiting)
            if (!oldest || r.arrival < oldest->arrival) oldest = &r;
        if (!oldest) return oldest;
        R* chosen = oldest;
        switch (policy) {
            case Elevator::fcfs: break;
            case Elevator::sstf: chosen = nearest(waiting); break;
            case Elevator::scan: chosen = sweep(waiting, kNoBatch, true); break;
            case Elevator::look: chosen = sweep(waiting, kNoBatch, false); break;
            case Elevator::cscan: chosen = circle(waiting, true); break;
            case Elevator::clook: chosen = circle(waiting, false); break;
            case Elevator::nstep:
            case Elevator::fscan:
                if (oldest->arrival >= batch_end_)
                    batch_end_ = end_of_batch(waiting, policy == Elevator::nstep ? kStep : ~0u);
                chosen = sweep(waiting, batch_end_, false);
                break;
            case Elevator::deadline:
                chosen = most_overdue(waiting, now);
                if (!chosen) chosen = circle(waiting, false);
                break;
        }
        return chosen;
    }
    // The head goes there, and on over what is transferred, which is no travel.
    constexpr void serve(uint64_t first, uint32_t count) {
        move_to(first);
        at_ += count;
    }
    template <typename Range>
    constexpr auto choose(Elevator policy, Range& waiting, uint64_t now) {
        auto* chosen = pick(policy, waiting, now);
        if (chosen) serve(chosen->sector, chosen->count);
        return chosen;
    }

    constexpr uint64_t travel() const { return travel_; }
    constexpr uint64_t position() const { return at_; }

  private:
    static constexpr uint64_t kNoBatch = ~uint64_t{0};

    constexpr uint64_t distance(uint64_t to) const { return to > at_ ? to - at_ : at_ - to; }
    constexpr void move_to(uint64_t to) {
        travel_ += distance(to);
        at_ = to;
    }

    template <typename Range>
    constexpr auto nearest(Range& waiting) {
        decltype(&*waiting.begin()) best = nullptr;
        for (auto& r : waiting)
            if (!best || distance(r.sector) < distance(best->sector)) best = &r;
        return best;
    }

    // The nearest one at the head or beyond it in that direction.
    template <typename Range>
    constexpr auto ahead(Range& waiting, uint64_t batch_end, bool up) {
        decltype(&*waiting.begin()) best = nullptr;
        for (auto& r : waiting) {
            if (r.arrival >= batch_end || (up ? r.sector < at_ : r.sector > at_)) continue;
            if (!best || distance(r.sector) < distance(best->sector)) best = &r;
        }
        return best;
    }

    // Up and down; `to_the_end`: the head turns at the disk's edge, not at the last request.
    template <typename Range>
    constexpr auto sweep(Range& waiting, uint64_t batch_end, bool to_the_end) {
        auto* best = ahead(waiting, batch_end, up_);
        if (best) return best;
        if (to_the_end) move_to(up_ ? last_ : 0);
        up_ = !up_;
        return ahead(waiting, batch_end, up_);
    }

    // One way only, and back without serving: to the disk's other edge (`by_the_edges`), or to the
    // farthest request.
    template <typename Range>
    constexpr auto circle(Range& waiting, bool by_the_edges) {
        auto* best = ahead(waiting, kNoBatch, up_);
        if (best) return best;
        if (by_the_edges) {
            move_to(up_ ? last_ : 0);
            move_to(up_ ? 0 : last_);
            return ahead(waiting, kNoBatch, up_);
        }
        for (auto& r : waiting)
            if (!best || (up_ ? r.sector < best->sector : r.sector > best->sector)) best = &r;
        return best;
    }

    // One past the arrival of the `size` oldest.
    template <typename Range>
    constexpr uint64_t end_of_batch(Range& waiting, uint32_t size) {
        uint64_t end = 0;
        for (auto& r : waiting) {
            uint32_t older = 0;
            for (auto& other : waiting) older += other.arrival < r.arrival;
            if (older < size && r.arrival >= end) end = r.arrival + 1;
        }
        return end;
    }

    template <typename Range>
    constexpr auto most_overdue(Range& waiting, uint64_t now) {
        decltype(&*waiting.begin()) best = nullptr;
        for (auto& r : waiting)
            if (r.deadline <= now && (!best || r.deadline < best->deadline)) best = &r;
        return best;
    }

    uint64_t last_;  // sector
    uint64_t at_;
    uint64_t travel_ = 0;
    uint64_t batch_end_ = 0;  // requests that arrived before it are in the current batch
    bool up_;
};
