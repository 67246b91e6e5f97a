// Working set: what was used within the last `window` units of time stays; the rest leaves even if
// no frame is wanted. If all pages are in the set and a frame is wanted, the oldest use goes.
// Spec: Denning, The working set model for program behavior (CACM 1968).
#pragma once

#include "mm/replacement/policy.hpp"

class WorkingSetReplacement : public ReplacementPolicy {
  public:
    static constexpr std::string_view kName = "working-set";
    struct Tunables {
        Tunable window{.name = "working_set_window",
                       .meaning =
                           "how long a page that is not used stays, in samplings of all pages "
                           "(in accesses where each is seen)",
                       .least = 1,
                       .values = {8}};
    } tunables;

    // The page whose last use is longest ago.
    // Lab 12.6: stub { return pages_.front(); }
    ResidentPage* victim(uint32_t now, PageProbe* probe) override {
        if (probe) tick(now, probe);
        return smallest(last_use);
    }
    void prepare() override { sort_by(last_use); }
    // A page that has not been used for a whole window, or null.
    // Lab 12.6: stub { return nullptr; }
    ResidentPage* expired(uint32_t now) override {
        ResidentPage* page = victim(now, nullptr);
        return page && now - page->used >= tunables.window.value() ? page : nullptr;
    }

  private:
    static uint32_t last_use(const ResidentPage& page) { return page.used; }
};
