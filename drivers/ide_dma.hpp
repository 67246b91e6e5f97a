// Bus-master DMA of a PCI IDE controller: one channel's three registers and its table of memory
// pieces. Knows nothing of drives and commands.
// Locks: the channel's turn (DiskQueue); who has it owns this.
// Spec: Programming Interface for Bus Master IDE Controller 1.0.
#pragma once

#include "drivers/block.hpp"

class IdeDma {
  public:
    IdeDma() = default;
    // `port` 0: there is no such controller.
    explicit IdeDma(uint16_t port) : port_(port) {}

    bool present() const { return port_ != 0; }
    void forget() { port_ = 0; }
    // False: this memory can't be reached (odd address, or outside the direct map).
    bool prepare(std::span<const MemoryPiece> memory, bool to_memory);
    void start() const;
    // True if the transfer went well. Also clears the registers for the next.
    bool finish() const;

  private:
    uint16_t reg(uint16_t offset) const { return static_cast<uint16_t>(port_ + offset); }
    // A piece of memory, which doesn't cross a multiple of 64 KiB; size 0 stands for 64 KiB.
    struct Entry {
        uint32_t address;
        uint16_t bytes;
        uint16_t flags;
    };
    // Each piece may be cut in two, and one of 128 KiB in three.
    static constexpr uint32_t kMaxEntries = kMostPieces + 3;
    bool add(Entry* table, uint32_t& used, uint32_t at, uint32_t bytes) const;

    uint16_t port_ = 0;
    bool to_memory_ = false;
    // The table may not cross a multiple of 64 KiB either: one half of this doesn't.
    Entry tables_[2 * kMaxEntries] = {};
};
