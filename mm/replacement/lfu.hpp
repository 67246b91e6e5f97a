// LFU: the page with the fewest uses since it was loaded. Victim: O(pages), or prepared.
#pragma once

#include "mm/replacement/policy.hpp"

class LfuReplacement final : public ReplacementPolicy {
  public:
    std::string_view name() const override { return "lfu"; }
    ResidentPage* victim(uint32_t, PageProbe*) override { return smallest(uses); }
    void prepare() override { sort_by(uses); }

  private:
    static uint32_t uses(const ResidentPage& page) { return page.count; }
};
