// LRU: the page whose last access is longest ago. Exact where every access is seen; with sampling,
// as exact as the samples. Invariant: the list is in order of last use. O(1).
#pragma once

#include "mm/replacement/policy.hpp"

class LruReplacement : public ReplacementPolicy {
  public:
    static constexpr std::string_view kName = "lru";

    ResidentPage* victim(uint32_t now, PageProbe* probe) override {
        // A page that was used since the last sample is younger than its place says.
        for (uint32_t i = probe ? size_ : 0; i > 0; --i) {
            ResidentPage& page = *pages_.front();
            page.referenced = false;
            probe->look(page);
            if (!page.referenced) return &page;
            note_use(page, now);
        }
        return pages_.front();
    }

  protected:
    // The page was used at `now`: it is the youngest.
    // Lab 12.4: stub { ReplacementPolicy::note_use(page, now); }
    void note_use(ResidentPage& page, uint32_t now) override {
        ReplacementPolicy::note_use(page, now);
        to_back(page);
    }
};
