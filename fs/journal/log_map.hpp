// Which block of the file system holds which block of the journal.
// Locks: none; filled once, when the file system is mounted.
#pragma once

#include <algorithm>

#include "kernel/lib/vector.hpp"

namespace journal {

class LogMap {
  public:
    // Blocks side by side, from `index` of the journal on.
    struct Run {
        uint32_t index, block, count;
    };

    uint32_t blocks() const { return blocks_; }
    // What comes next. ENOMEM; EINVAL: some of it is there already.
    Result<void> append(uint32_t block, uint32_t count) {
        for (const Run& run : runs_)
            if (block < run.block + run.count && run.block < block + count) return Errno::inval;
        TRY(runs_.push_back({blocks_, block, count}));
        blocks_ += count;
        return {};
    }
    // Where block `index` is, and how many from there on lie side by side; index < blocks().
    Run find(uint32_t index) const {
        VERIFY(index < blocks_);
        const Run* after =
            std::upper_bound(runs_.begin(), runs_.end(), index,
                             [](uint32_t i, const Run& run) { return i < run.index; });
        const Run& run = *(after - 1);
        const uint32_t skip = index - run.index;
        return {index, run.block + skip, run.count - skip};
    }
    bool contains(uint32_t block) const {
        return std::any_of(runs_.begin(), runs_.end(), [&](const Run& run) {
            return block >= run.block && block - run.block < run.count;
        });
    }

  private:
    Vector<Run> runs_;
    uint32_t blocks_ = 0;
};

}  // namespace journal
