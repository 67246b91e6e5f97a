// N-step SCAN: requests are served in batches of the N oldest, each batch by LOOK. The head cannot be
// held in one place by requests that go on arriving there.
#pragma once

#include "drivers/elevators/look.hpp"

class NstepElevator : public LookElevator {
  public:
    static constexpr std::string_view kName = "nstep";
    static constexpr uint32_t kStep = 4;

    DiskRequest* pick(RequestList& waiting, DiskHead& head, uint64_t) override {
        if (waiting.front()->arrival >= batch_end_) batch_end_ = end_of_batch(waiting, kStep);
        return look(waiting, head, batch_end_);
    }

  private:
    // One past the arrival of the last of the `size` oldest.
    static uint64_t end_of_batch(RequestList& waiting, uint32_t size) {
        uint64_t end = 0;
        for (DiskRequest& r : waiting) {
            if (size-- == 0) break;
            end = r.arrival + 1;
        }
        return end;
    }

    uint64_t batch_end_ = 0;  // requests that arrived before it are in the current batch
};
