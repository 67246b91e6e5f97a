// Shortest seek time first: the request nearest to the head, whichever way. A far one may starve.
#pragma once

#include "drivers/elevators/elevator.hpp"

class SstfElevator : public Elevator {
  public:
    static constexpr std::string_view kName = "sstf";

    DiskRequest* pick(RequestList& waiting, DiskHead& head, uint64_t) override {
        DiskRequest* best = nullptr;
        for (DiskRequest& r : waiting)
            if (!best || head.distance(r.sector) < head.distance(best->sector)) best = &r;
        return best;
    }
};
