// SCAN: the head serves what lies on its way to the disk's edge, turns there, and comes back.
#pragma once

#include "drivers/elevators/elevator.hpp"

class ScanElevator : public Elevator {
  public:
    static constexpr std::string_view kName = "scan";

    // What is nearest ahead. Nothing is: the head goes on to the edge, turns, and looks again.
    // Lab 14.4: stub { (void)head; return waiting.front(); }
    DiskRequest* pick(RequestList& waiting, DiskHead& head, uint64_t) override {
        if (DiskRequest* next = nearest_ahead(waiting, head)) return next;
        head.move_to_edge(head.up);
        head.up = !head.up;
        return nearest_ahead(waiting, head);
    }
};
