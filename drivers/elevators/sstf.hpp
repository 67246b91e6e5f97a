// Shortest seek time first: the request nearest to the head, whichever way. A far one may starve.
#pragma once

#include "drivers/elevators/elevator.hpp"

class SstfElevator : public Elevator {
  public:
    static constexpr std::string_view kName = "sstf";

    // The request nearest to the head, in either direction; of equals the one that has waited longer:
    // `waiting` is in order of arrival. The head is not moved here.
    // Lab 14.3: stub { (void)head; return waiting.front(); }
    DiskRequest* pick(RequestList& waiting, DiskHead& head, uint64_t) override {
        DiskRequest* best = nullptr;
        for (DiskRequest& r : waiting)
            if (!best || head.distance(r.sector) < head.distance(best->sector)) best = &r;
        return best;
    }
};
