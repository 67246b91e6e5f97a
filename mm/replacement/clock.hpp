// Clock: frames in a circle; the hand clears the reference bits it passes and stops at a page
// without one. The hand is the list's front: what it passes goes to the back, and so does the page
// that fills the frame the hand has just emptied.
#pragma once

#include "mm/replacement/policy.hpp"

class ClockReplacement : public ReplacementPolicy {
  public:
    static constexpr std::string_view kName = "clock";

    // The page at which the hand stops. `probe`, if there is one, is asked for each page first.
    // Lab 12.2: stub { return pages_.front(); }
    ResidentPage* victim(uint32_t, PageProbe* probe) override {
        // Bits may be set again behind the hand: two rounds are enough.
        for (uint32_t i = 2 * size_; i > 0; --i) {
            ResidentPage& page = *pages_.front();
            if (probe) probe->look(page);
            if (!page.referenced) break;
            page.referenced = false;
            to_back(page);
        }
        return pages_.front();
    }
    void tick(uint32_t, PageProbe*) override {}  // only the hand clears bits
};
