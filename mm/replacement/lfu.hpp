// LFU: the page with the fewest uses since it was loaded. Victim: O(pages), or prepared.
#pragma once

#include "mm/replacement/policy.hpp"

class LfuReplacement : public ReplacementPolicy {
  public:
    static constexpr std::string_view kName = "lfu";

    void load(ResidentPage& page, bool write, uint32_t now) override {
        page.slot.emplace<Uses>().count = 1;
        ReplacementPolicy::load(page, write, now);
    }
    // Lab 12.5: stub { return pages_.front(); }
    ResidentPage* victim(uint32_t, PageProbe*) override { return smallest(uses); }
    void prepare() override { sort_by(uses); }

  protected:
    // The page was used once more.
    // Lab 12.5: stub { ReplacementPolicy::note_use(page, now); }
    void note_use(ResidentPage& page, uint32_t now) override {
        ReplacementPolicy::note_use(page, now);
        ++page.slot.as<Uses>().count;
    }

  private:
    struct Uses {
        uint32_t count = 0;
    };
    static uint32_t uses(const ResidentPage& page) { return page.slot.as<Uses>().count; }
};
