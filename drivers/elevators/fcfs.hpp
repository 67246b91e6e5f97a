// First come, first served: fair, and the head goes to and fro.
#pragma once

#include "drivers/elevators/elevator.hpp"

class FcfsElevator : public Elevator {
  public:
    static constexpr std::string_view kName = "fcfs";

    DiskRequest* pick(RequestList& waiting, DiskHead&, uint64_t) override {
        return waiting.front();
    }
};
