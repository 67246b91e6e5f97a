// FIFO: the page that came first leaves first. O(1); more frames may mean more faults (Belady).
#pragma once

#include "mm/replacement/policy.hpp"

class FifoReplacement final : public ReplacementPolicy {
  public:
    std::string_view name() const override { return "fifo"; }
    ResidentPage* victim(uint32_t, PageProbe*) override { return pages_.front(); }
};
