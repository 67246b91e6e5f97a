// Grouped linking: a stack of numbers of free blocks is in memory; its lowest one is that of a block
// which holds the stack of the next group. Only when a group runs out (or is full) a block is read
// (or written). The last group's lowest number is 0.
#pragma once

#include <algorithm>

#include "fs/free_space/free_space.hpp"

class GroupedLinking : public FreeSpace {
  public:
    static constexpr uint32_t kMostInGroup = 100;
    static constexpr std::string_view kName = "grouped";
    struct Tunables {
        Tunable group{.name = "grouped_group",
                      .meaning = "numbers of free blocks in a group",
                      .least = 2,
                      .most = kMostInGroup,
                      .values = {kMostInGroup}};
    } tunables;

    uint32_t reserved(uint32_t, uint32_t) const override { return 1; }  // block 0: the stack
    void format(BlockStore& store, uint32_t blocks) override {
        group_ = tunables.group.value();
        VERIFY(store.words() > group_);
        store_ = &store;
        stack_[0] = 0;
        depth_ = 1;
        free_ = 0;
        for (uint32_t block = blocks; block-- > 1;) push(block);
    }
    BlockRun allocate(uint32_t wanted) override {
        BlockRun run;
        while (free_ && run.count < wanted &&
               (!run.count || stack_[depth_ - 1] == run.first + run.count)) {
            const uint32_t block = pop();
            if (!run.count) run.first = block;
            ++run.count;
        }
        return run;
    }
    void release(BlockRun run) override {
        while (run.count) push(run.first + --run.count);
    }
    uint32_t depth() const { return depth_; }
    uint32_t stack(uint32_t index) const { return stack_[index]; }

  private:
    uint32_t pop() {
        const uint32_t block = stack_[--depth_];
        --free_;
        if (depth_ == 0) {
            const uint32_t* words = store_->read(block);
            depth_ = words[0];
            std::copy_n(words + 1, depth_, stack_);
        }
        return block;
    }
    void push(uint32_t block) {
        if (depth_ == group_) {
            uint32_t* words = store_->overwrite(block);
            words[0] = depth_;
            std::copy_n(stack_, depth_, words + 1);
            store_->write(block);
            depth_ = 0;
        }
        stack_[depth_++] = block;
        ++free_;
    }

    BlockStore* store_ = nullptr;
    uint32_t group_ = kMostInGroup, depth_ = 0;
    uint32_t stack_[kMostInGroup] = {};
};
