// Ageing: LRU by eight bits a page. At each tick the history moves right and the reference bit
// comes in at the left; the smallest history leaves, with a use since the tick counting most.
// Where accesses are seen, each kPeriod of them are a tick. Victim: O(pages), or prepared.
#pragma once

#include "mm/replacement/policy.hpp"

class AgeingReplacement : public ReplacementPolicy {
  public:
    static constexpr std::string_view kName = "ageing";
    static constexpr uint32_t kPeriod = 4;

    void load(ResidentPage& page, bool write, uint32_t now) override {
        count_access();
        page.slot.emplace<History>();
        ReplacementPolicy::load(page, write, now);
    }
    void access(ResidentPage& page, bool write, uint32_t now) override {
        count_access();
        ReplacementPolicy::access(page, write, now);
    }
    void tick(uint32_t now, PageProbe* probe) override {
        sampled_ = true;
        age(now, probe);
    }
    ResidentPage* victim(uint32_t, PageProbe*) override { return smallest(recency); }
    void prepare() override { sort_by(recency); }

  private:
    struct History {
        uint8_t bits = 0;  // one for each of the last ticks, the latest highest
    };
    static uint32_t recency(const ResidentPage& page) {
        return page.slot.as<History>().bits + (page.referenced ? 0x100u : 0u);
    }
    void age(uint32_t now, PageProbe* probe) {
        for (ResidentPage& page : pages_) {
            if (probe) probe->look(page);
            uint8_t& bits = page.slot.as<History>().bits;
            bits = static_cast<uint8_t>(bits >> 1 | (page.referenced ? 0x80 : 0));
            if (page.referenced && probe) page.used = now;
            page.referenced = false;
        }
        sorted_ = false;
    }
    void count_access() {
        if (sampled_ || ++since_tick_ <= kPeriod) return;
        since_tick_ = 1;
        age(0, nullptr);
    }
    uint32_t since_tick_ = 0;
    bool sampled_ = false;  // ticks come from outside
};
