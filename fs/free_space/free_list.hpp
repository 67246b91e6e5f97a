// Free list: each free block holds the number of the next one. It takes no room, but each block that
// is given out must be read first, and what comes out soon lies anywhere on the disk.
#pragma once

#include "fs/free_space/free_space.hpp"

class FreeList : public FreeSpace {
  public:
    static constexpr std::string_view kName = "list";
    uint32_t reserved(uint32_t, uint32_t) const override { return 1; }  // block 0: where it begins
    void format(BlockStore& store, uint32_t blocks) override {
        store_ = &store;
        head_ = 0;
        free_ = 0;
        for (uint32_t block = blocks; block-- > 1;) push(block);
    }
    // The block at the head, and those after it as long as they follow one another on the disk.
    BlockRun allocate(uint32_t wanted) override {
        BlockRun run;
        while (head_ && run.count < wanted && (!run.count || head_ == run.first + run.count)) {
            if (!run.count) run.first = head_;
            ++run.count;
            head_ = *store_->read(head_);
        }
        free_ -= run.count;
        return run;
    }
    void release(BlockRun run) override {
        while (run.count) push(run.first + --run.count);
    }
    uint32_t head() const { return head_; }

  private:
    void push(uint32_t block) {
        *store_->overwrite(block) = head_;
        store_->write(block);
        head_ = block;
        ++free_;
    }

    BlockStore* store_ = nullptr;
    uint32_t head_ = 0;  // 0: none
};
