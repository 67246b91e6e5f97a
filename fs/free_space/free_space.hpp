// FreeSpace: which blocks of a disk are free. Pure: the table, list or bitmap lies in blocks of the
// disk, which a BlockStore reads and writes and counts. ext2 searches its bitmaps with find_run() of
// free_bitmap.hpp; lab-fs and the host tests run all four organisations.
// Invariant: a block is either free or given out; one that is given back twice is a bug of the caller.
// Locks: none; the owner guards it.
#pragma once

#include <cstdint>
#include <string_view>

#include "kernel/lib/policy_list.hpp"
#include "kernel/lib/verify.hpp"

// Blocks of `words` numbers of 32 bits each.
class BlockStore {
  public:
    virtual uint32_t* read(uint32_t block) = 0;       // valid until the next read or overwrite
    virtual uint32_t* overwrite(uint32_t block) = 0;  // what it held does not matter: not read
    virtual void write(uint32_t block) = 0;           // the words that it has by then
    virtual uint32_t words() const = 0;

  protected:
    ~BlockStore() = default;
};

struct BlockRun {
    uint32_t first = 0, count = 0;
};

class FreeSpace {
  public:
    constexpr FreeSpace() = default;
    FreeSpace(const FreeSpace&) = delete;
    FreeSpace& operator=(const FreeSpace&) = delete;

    virtual std::string_view name() const = 0;
    // Blocks that the organisation keeps for itself on a disk of `blocks`, from block 0 on.
    virtual uint32_t reserved(uint32_t blocks, uint32_t words) const = 0;
    // All blocks from reserved() on are free.
    virtual void format(BlockStore& store, uint32_t blocks) = 0;
    // Up to `wanted` blocks in a row: fewer where no run is as long, none (count 0) on a full disk.
    virtual BlockRun allocate(uint32_t wanted) = 0;
    virtual void release(BlockRun run) = 0;

    uint32_t free_blocks() const { return free_; }

  protected:
    ~FreeSpace() = default;
    uint32_t free_ = 0;
};
