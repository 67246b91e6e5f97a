// The list of replacement policies, one instance of each. A policy exists for the boot option
// vm.replacement, for /proc/sys/vm/replacement and for the laboratory by standing in this list.
#pragma once

#include "mm/replacement/ageing.hpp"
#include "mm/replacement/clock.hpp"
#include "mm/replacement/fifo.hpp"
#include "mm/replacement/improved_clock.hpp"
#include "mm/replacement/lfu.hpp"
#include "mm/replacement/lru.hpp"
#include "mm/replacement/opt.hpp"
#include "mm/replacement/working_set.hpp"

class ReplacementSet {
  public:
    constexpr ReplacementSet() = default;

    static constexpr uint32_t kCount = 8, kClock = 4;
    uint32_t chosen = kClock;  // the driver's: which of them has the pages
    ReplacementPolicy& at(uint32_t index) {
        ReplacementPolicy* const all[kCount] = {&fifo_,  &lru_,      &ageing_, &lfu_,
                                                &clock_, &improved_, &opt_,    &working_set_};
        return *all[index];
    }
    ReplacementPolicy* find(std::string_view name) {
        for (uint32_t i = 0; i < kCount; ++i)
            if (at(i).name() == name) return &at(i);
        return nullptr;
    }
    WorkingSetReplacement& working_set() { return working_set_; }

  private:
    FifoReplacement fifo_{};
    LruReplacement lru_{};
    AgeingReplacement ageing_{};
    LfuReplacement lfu_{};
    ClockReplacement clock_{};
    ImprovedClockReplacement improved_{};
    OptReplacement opt_{};
    WorkingSetReplacement working_set_{};
};
