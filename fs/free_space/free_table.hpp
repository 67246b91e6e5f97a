// Free table: an entry (first block, count) for each run of free blocks, in the order of the disk;
// first fit, and neighbours merge when blocks come back. For files in one piece each.
// Its worst case, every second block free, decides how much of the disk the table takes.
#pragma once

#include "fs/free_space/free_space.hpp"

class FreeTable : public FreeSpace {
  public:
    static constexpr std::string_view kName = "table";
    uint32_t reserved(uint32_t blocks, uint32_t words) const override {
        return (blocks / 2 + 1 + words / 2 - 1) / (words / 2);
    }
    void format(BlockStore& store, uint32_t blocks) override {
        store_ = &store;
        const uint32_t own = reserved(blocks, store.words());
        entries_ = 1;
        free_ = blocks - own;
        put(0, {own, free_});
    }
    BlockRun allocate(uint32_t wanted) override {
        uint32_t best = 0, found = entries_;
        for (uint32_t i = 0; i < entries_; ++i) {
            const uint32_t count = get(i).count;
            if (count > best) {
                best = count;
                found = i;
            }
            if (count >= wanted) break;
        }
        if (found == entries_) return {};
        BlockRun run = get(found);
        const BlockRun given{run.first, wanted < run.count ? wanted : run.count};
        run = {run.first + given.count, run.count - given.count};
        if (run.count)
            put(found, run);
        else
            erase(found);
        free_ -= given.count;
        return given;
    }
    void release(BlockRun run) override {
        free_ += run.count;
        uint32_t after = 0;  // the first entry behind the run
        while (after < entries_ && get(after).first < run.first) ++after;
        const BlockRun low = after ? get(after - 1) : BlockRun{};
        const BlockRun high = after < entries_ ? get(after) : BlockRun{};
        const bool below = after && low.first + low.count == run.first;
        const bool above = high.count && run.first + run.count == high.first;
        if (below && above) {
            put(after - 1, {low.first, low.count + run.count + high.count});
            erase(after);
        } else if (below) {
            put(after - 1, {low.first, low.count + run.count});
        } else if (above) {
            put(after, {run.first, run.count + high.count});
        } else {
            insert(after, run);
        }
    }
    uint32_t entries() const { return entries_; }
    BlockRun entry(uint32_t index) { return get(index); }

  private:
    uint32_t per_block() const { return store_->words() / 2; }
    BlockRun get(uint32_t index) {
        const uint32_t* words = store_->read(index / per_block()) + index % per_block() * 2;
        return {words[0], words[1]};
    }
    void put(uint32_t index, BlockRun run) {
        uint32_t* words = store_->read(index / per_block()) + index % per_block() * 2;
        words[0] = run.first;
        words[1] = run.count;
        store_->write(index / per_block());
    }
    void erase(uint32_t index) {
        for (--entries_; index < entries_; ++index) put(index, get(index + 1));
    }
    void insert(uint32_t index, BlockRun run) {
        for (uint32_t i = entries_++; i > index; --i) put(i, get(i - 1));
        put(index, run);
    }

    BlockStore* store_ = nullptr;
    uint32_t entries_ = 0;
};
