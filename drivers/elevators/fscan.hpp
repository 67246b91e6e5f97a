// FSCAN: requests that arrive during a sweep wait for the next one. A batch is all that waits.
#pragma once

#include "drivers/elevators/look.hpp"

class FscanElevator : public LookElevator {
  public:
    static constexpr std::string_view kName = "fscan";

    DiskRequest* pick(RequestList& waiting, DiskHead& head, uint64_t) override {
        if (waiting.front()->arrival >= batch_end_) batch_end_ = waiting.back()->arrival + 1;
        return look(waiting, head, batch_end_);
    }

  private:
    uint64_t batch_end_ = 0;  // requests that arrived before it are in the current sweep
};
