// C-SCAN: the head serves one way only. From the disk's edge it goes back to the other edge without
// serving, so that requests in the middle are not served twice as often as those at the edges.
#pragma once

#include "drivers/elevators/elevator.hpp"

class CscanElevator : public Elevator {
  public:
    static constexpr std::string_view kName = "cscan";

    // What is nearest ahead. Nothing is: the head goes on to the edge, then all the way to the other edge,
    // without turning, and looks again.
    // Lab 14.5: stub { (void)head; return waiting.front(); }
    DiskRequest* pick(RequestList& waiting, DiskHead& head, uint64_t) override {
        if (DiskRequest* next = nearest_ahead(waiting, head)) return next;
        head.move_to_edge(head.up);
        head.move_to_edge(!head.up);
        return nearest_ahead(waiting, head);
    }
};
