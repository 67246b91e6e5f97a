// Working set: what was used within the last `window` units of time stays; the rest leaves even if
// nobody wants the frame. If all frames are in the set and one is wanted, the oldest use goes.
// Spec: Denning, The working set model for program behavior (CACM 1968).
#pragma once

#include "mm/replacement/policy.hpp"

class WorkingSetReplacement final : public ReplacementPolicy {
  public:
    std::string_view name() const override { return "working-set"; }
    void set_window(uint32_t window) { window_ = window; }
    ResidentPage* victim(uint32_t now, PageProbe* probe) override {
        if (probe) tick(now, probe);
        return smallest(last_use);
    }
    void prepare() override { sort_by(last_use); }
    ResidentPage* expired(uint32_t now) override {
        ResidentPage* page = victim(now, nullptr);
        return page && now - page->used >= window_ ? page : nullptr;
    }

  private:
    static uint32_t last_use(const ResidentPage& page) { return page.used; }
    uint32_t window_ = 8;
};
