// Bitmap: a bit for each block, 1 where it is given out. Runs are found by looking, and any number
// of blocks is given back by clearing bits: nothing has to be kept in order.
#pragma once

#include <algorithm>
#include <optional>

#include "fs/free_space/free_space.hpp"
#include "kernel/lib/bitmap.hpp"

// At `from` or later, where `room` bits in a row are clear: that many, or up to `wanted` of them.
inline std::optional<BlockRun> find_run(const Bitmap& bits, uint32_t from, uint32_t wanted,
                                        uint32_t room) {
    const std::optional<uint32_t> first = bits.find_clear_run(room, from);
    if (!first) return std::nullopt;
    return BlockRun{*first, bits.count_clear(*first, wanted)};
}

// The same among bits that are clear but reserved: `promised(at)` is the first such run that
// ends behind `at`, or one of no blocks.
template <typename Promised>
std::optional<BlockRun> find_run(const Bitmap& bits, uint32_t from, uint32_t wanted, uint32_t room,
                                 Promised&& promised) {
    while (std::optional<BlockRun> run = find_run(bits, from, wanted, room)) {
        const BlockRun next = promised(run->first);
        if (!next.count) return run;
        if (next.first >= run->first + room) {
            run->count = std::min(run->count, next.first - run->first);
            return run;
        }
        from = next.first + next.count;
    }
    return std::nullopt;
}

// The textbook's way of naming bits: row i and column j of rows of n bits, and blocks b, all counted
// from 1.
struct BitmapPlace {
    uint32_t row, column;
    bool operator==(const BitmapPlace&) const = default;
};
// The block whose bit is there.
// Lab 13.2: stub { return place.row * 0 + n * 0; }
constexpr uint32_t block_at(BitmapPlace place, uint32_t n) {
    return n * (place.row - 1) + place.column;
}
// Where the bit of a block is.
// Lab 13.2: stub { return {block * 0 + 1, n * 0 + 1}; }
constexpr BitmapPlace place_of(uint32_t block, uint32_t n) {
    return {(block - 1) / n + 1, (block - 1) % n + 1};
}

class FreeBitmap : public FreeSpace {
  public:
    static constexpr std::string_view kName = "bitmap";
    uint32_t reserved(uint32_t blocks, uint32_t words) const override {
        const uint32_t bits = words * 32;
        return (blocks + bits - 1) / bits;
    }
    void format(BlockStore& store, uint32_t blocks) override {
        store_ = &store;
        blocks_ = blocks;
        const uint32_t own = reserved(blocks, store.words());
        for (uint32_t block = 0; block < own; ++block) {
            std::fill_n(store.overwrite(block), store.words(), 0);
            store.write(block);
        }
        for_bits({0, own}, true);
        free_ = blocks - own;
    }
    BlockRun allocate(uint32_t wanted) override {
        BlockRun best;
        for (uint32_t block = 0; block * per_block() < blocks_ && best.count < wanted; ++block) {
            const Bitmap bits = bits_of(block);
            // A run that is long enough; else the longest that begins where another ends.
            if (const auto fits = find_run(bits, 0, wanted, wanted)) {
                best = {block * per_block() + fits->first, wanted};
                break;
            }
            for (uint32_t from = 0; const auto run = find_run(bits, from, wanted, 1);) {
                if (run->count > best.count) best = {block * per_block() + run->first, run->count};
                from = run->first + run->count;
            }
        }
        if (best.count) for_bits(best, true);
        free_ -= best.count;
        return best;
    }
    void release(BlockRun run) override {
        for_bits(run, false);
        free_ += run.count;
    }

  private:
    uint32_t per_block() const { return store_->words() * 32; }
    Bitmap bits_of(uint32_t block) {
        return Bitmap({store_->read(block), store_->words()},
                      std::min(per_block(), blocks_ - block * per_block()));
    }
    void for_bits(BlockRun run, bool taken) {
        while (run.count) {
            const uint32_t block = run.first / per_block(), at = run.first % per_block();
            const uint32_t count = std::min(run.count, per_block() - at);
            bits_of(block).set_range(at, count, taken);
            store_->write(block);
            run = {run.first + count, run.count - count};
        }
    }

    BlockStore* store_ = nullptr;
    uint32_t blocks_ = 0;
};
