// LOOK: SCAN whose head turns at the last request, not at the disk's edge.
#pragma once

#include "drivers/elevators/elevator.hpp"

class LookElevator : public Elevator {
  public:
    static constexpr std::string_view kName = "look";

    DiskRequest* pick(RequestList& waiting, DiskHead& head, uint64_t) override {
        return look(waiting, head, kAnyArrival);
    }

  protected:
    // Among those that arrived before `before`: there is one.
    static DiskRequest* look(RequestList& waiting, DiskHead& head, uint64_t before) {
        if (DiskRequest* next = nearest_ahead(waiting, head, before)) return next;
        head.up = !head.up;
        return nearest_ahead(waiting, head, before);
    }
};
