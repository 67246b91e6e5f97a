// LoadControl: whether so many programs compete for frames that one should be suspended, or whether
// there is room for one more. Asked at the end of each window of load control (250 ms). Pure.
#pragma once

#include <cstdint>

#include "kernel/lib/policy_list.hpp"

// What all programs' paging did in a window.
struct PagingLoad {
    uint32_t waiting_permille = 0;  // time that programs waited for pages; 1000: one at any time
    uint32_t fastest = 0;           // page faults of the program that had most
    uint64_t working_sets = 0;      // pages; of all that are active
    uint32_t next_set = 0;          // of the program that has been suspended longest
    uint32_t frames = 0;            // that programs' own pages have or could have
    uint32_t reserve = 0;           // of these, to be kept free
};

struct LoadJudgement {
    bool too_many, room;
};

class LoadControl {
  public:
    virtual std::string_view name() const = 0;
    virtual LoadJudgement judge(const PagingLoad& load) const = 0;

  protected:
    ~LoadControl() = default;
};
