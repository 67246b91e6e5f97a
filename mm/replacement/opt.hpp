// OPT: the page whose next use is farthest away. It needs the whole string of accesses beforehand
// (recorded by an earlier run), and `now` to be the place in it. Victim: O(pages x string).
// Spec: Belady, A study of replacement algorithms for a virtual-storage computer (1966).
#pragma once

#include "mm/replacement/policy.hpp"

class OptReplacement : public ReplacementPolicy {
  public:
    static constexpr std::string_view kName = "opt";

    bool knows_future() const override { return true; }
    void set_future(std::span<const uint32_t> string) override { string_ = string; }
    ResidentPage* victim(uint32_t now, PageProbe*) override {
        return smallest([&](const ResidentPage& page) { return ~next_use(page.page, now); });
    }

  private:
    uint32_t next_use(uint32_t page, uint32_t now) const {
        for (uint32_t i = now; i < string_.size(); ++i)
            if (string_[i] == page) return i;
        return UINT32_MAX;
    }
    std::span<const uint32_t> string_{};
};
