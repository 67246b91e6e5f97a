// C-LOOK: C-SCAN without the edges. After the last request on its way the head goes back to the
// farthest one behind it.
#pragma once

#include "drivers/elevators/elevator.hpp"

class ClookElevator : public Elevator {
  public:
    static constexpr std::string_view kName = "clook";

    // What is nearest ahead. Nothing is: the request that is farthest from the head, and so farthest
    // behind; of equals the one that has waited longer. No edge is visited, and the head does not turn.
    // Lab 14.6: stub { (void)head; return waiting.front(); }
    DiskRequest* pick(RequestList& waiting, DiskHead& head, uint64_t) override {
        if (DiskRequest* next = nearest_ahead(waiting, head)) return next;
        DiskRequest* farthest = waiting.front();
        for (DiskRequest& r : waiting)
            if (head.distance(r.sector) > head.distance(farthest->sector)) farthest = &r;
        return farthest;
    }
};
