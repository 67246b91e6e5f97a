// FIFO: the page that came first leaves first. O(1); more frames may mean more faults (Belady).
#pragma once

#include "mm/replacement/policy.hpp"

class FifoReplacement : public ReplacementPolicy {
  public:
    static constexpr std::string_view kName = "fifo";

    // The page that was loaded first.
    // Lab 12.1: stub { return pages_.back(); }
    ResidentPage* victim(uint32_t, PageProbe*) override { return pages_.front(); }
};
