// Blocks on their way to a disk: those that lie side by side there become one request,
// wherever they are in memory, and several requests are handed over at once.
// Locks: none; it lives on its thread's stack.
#pragma once

#include <utility>

#include "drivers/block.hpp"

class BlockWriter {
  public:
    // Blocks of 1 << `shift` bytes.
    BlockWriter(BlockDevice& device, uint32_t shift) : device_(device), shift_(shift) {}

    // May write what was added before. The memory must stay until finish(). EIO.
    Result<void> add(uint32_t block, uint8_t* memory) {
        const uint32_t sectors = (1u << shift_) / kSectorSize;
        const uint64_t sector = uint64_t{block} * sectors;
        BlockIo* last = requests_ ? &list_[requests_ - 1] : nullptr;
        const bool goes_on =
            last && last->sector + last->count == sector && last->count + sectors <= kMostSectors;
        if (pieces_ == kPieces || (!goes_on && requests_ == kRequests)) {
            TRY(finish());
            last = nullptr;
        }
        if (!last || !goes_on) {
            first_piece_[requests_] = pieces_;
            last = &list_[requests_++];
            last->kind = BlockIo::Kind::write;
            last->sector = sector;
            last->count = 0;
        } else if (MemoryPiece& end = memory_[pieces_ - 1];
                   end.start + end.sectors * kSectorSize == memory) {
            end.sectors += sectors;
            last->count += sectors;
            return {};
        }
        memory_[pieces_++] = {memory, sectors};
        last->count += sectors;
        return {};
    }

    Result<void> finish() {
        for (uint32_t i = 0; i < requests_; ++i) {
            const uint32_t end = i + 1 < requests_ ? first_piece_[i + 1] : pieces_;
            list_[i].memory = {memory_ + first_piece_[i], end - first_piece_[i]};
        }
        const uint32_t requests = std::exchange(requests_, 0);
        pieces_ = 0;
        return requests ? device_.submit({list_, requests}) : Result<void>();
    }

  private:
    static constexpr uint32_t kPieces = 40, kRequests = 4;  // a kernel stack is small

    BlockDevice& device_;
    const uint32_t shift_;
    MemoryPiece memory_[kPieces];
    BlockIo list_[kRequests] = {};
    uint32_t first_piece_[kRequests];
    uint32_t pieces_ = 0, requests_ = 0;
};
