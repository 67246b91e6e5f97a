// Improved clock, with the modified bit: a clean page costs no write. Classes, in this order:
//   1 not used, not modified    2 not used, modified    3 used, not modified    4 used, modified
// The hand goes round looking for class 1 and changes nothing; then for class 2, clearing reference
// bits on its way; if there was none, both again, and now one must be found.
// The hand is the list's front, as in clock.hpp.
#pragma once

#include "mm/replacement/policy.hpp"

class ImprovedClockReplacement : public ReplacementPolicy {
  public:
    static constexpr std::string_view kName = "improved-clock";

    // The first page of the lowest class, the hand going round as said above.
    // Lab 12.3: stub { return pages_.front(); }
    ResidentPage* victim(uint32_t, PageProbe* probe) override {
        for (uint32_t round = 0; round < 4; ++round) {
            const bool second = round & 1;
            for (uint32_t i = size_; i > 0; --i) {
                ResidentPage& page = *pages_.front();
                if (probe) probe->look(page);
                if (!page.referenced && page.modified == second) return &page;
                if (second) page.referenced = false;
                to_back(page);
            }
        }
        return pages_.front();
    }
    void tick(uint32_t, PageProbe*) override {}  // only the hand clears bits
};
