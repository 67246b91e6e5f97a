// Deadline: C-LOOK, but a request whose deadline is over comes first, the most overdue one of all.
#pragma once

#include "drivers/elevators/clook.hpp"

class DeadlineElevator : public ClookElevator {
  public:
    static constexpr std::string_view kName = "deadline";

    DiskRequest* pick(RequestList& waiting, DiskHead& head, uint64_t now) override {
        DiskRequest* overdue = nullptr;
        for (DiskRequest& r : waiting)
            if (r.deadline <= now && (!overdue || r.deadline < overdue->deadline)) overdue = &r;
        return overdue ? overdue : ClookElevator::pick(waiting, head, now);
    }
};
