// A write-ahead log. What an operation changes is first written to the log, all of it together, and
// only then to its place ("home"): after a cut of power the log is played back (replay.hpp), and
// the disk shows each operation wholly or not at all.
//
// The order of writes, which is all that this file is about:
//   1. contents of files that the transaction's blocks refer to     the owner: data=ordered
//   2. the transaction: revokes, descriptors, blocks                to the log's free part
//      ---- flush
//   3. its commit block                                             from here on it has happened
//      ---- flush
//   4. blocks to their homes, whenever the log needs room           checkpoint()
//      ---- flush
//   5. the log's superblock: it begins behind them                  their room may be used again
//
// So 4 must not write what no transaction of the log has: a checkpoint is made right after a
// commit, when nothing is changed in memory that is not in the log. Until then the pages stay in memory.
// A block that is freed after it got into the log is revoked: else a replay would write it over the
// contents of the file that has it by then. Blocks freed in a transaction are used again only after
// its commit; that is the owner's part, too.
// Invariant: `blocks_` has the blocks whose newest copy in the log is not home yet.
// Locks: all calls under the owner's lock. What was added must not change in memory from the commit's
// beginning to its end, but for blocks that are `moving`.
#pragma once

#include <optional>

#include "drivers/block.hpp"
#include "fs/block_writer.hpp"
#include "fs/journal/log_map.hpp"
#include "fs/journal/log_space.hpp"
#include "fs/journal/superblock.hpp"
#include "fs/page_cache.hpp"
#include "kernel/lib/ordered_tree.hpp"
#include "kernel/lib/vector.hpp"

namespace journal {

// What a write of the journal is, for the trace.
enum class Part : uint8_t { revoke, descriptor, block, commit, home, superblock };

class Journal {
  public:
    // The log is empty, all of it was played back; from here on it may have transactions. `map` must
    // stay. EIO, ENOMEM.
    static Result<Box<Journal>> open(BlockDevice& device, uint32_t block_shift, const LogMap& map,
                                     const Shape& shape);
    ~Journal();
    bool barriers = true;  // false: flushes are left out, as by mount's option

    // Whether a transaction of so many blocks, and as many revokes as there are and `more`, fits.
    bool fits(uint32_t blocks, uint32_t more = 0) const {
        return space_.fits(blocks, revoked_.size() + more);
    }
    uint32_t capacity() const { return space_.capacity(); }
    uint32_t used() const { return space_.used(); }
    uint32_t pinned() const { return blocks_.size(); }  // blocks that stay in memory
    uint32_t added() const { return running_.size(); }  // to the next commit, so far
    uint32_t sequence() const { return sequence_; }     // of the next commit
    bool is_failed() const { return failed_; }

    // Memory for so many more blocks, so that a commit needs none. ENOMEM.
    Result<void> reserve(uint32_t blocks);
    // The block was freed: what the log has of it must not come back.
    void revoke(uint32_t home);
    // The next commit has this block, `offset` bytes into its page; `owner` stays until it is home.
    // `moving`: it may be written to while it is on its way (contents of a file).
    Result<void> add(uint32_t home, HeldPage page, uint32_t offset, Ref<RefCounted> owner,
                     bool moving = false);
    // Its owner is gone for all others.
    void disown(uint32_t home);
    // Steps 2 and 3. EIO: nothing of it has happened, and nothing will any more (is_failed).
    Result<void> commit();
    // Steps 4 and 5, right after a commit.
    Result<void> checkpoint();
    // The last checkpoint; the log is empty.
    Result<void> close();

  private:
    static constexpr uint32_t kNotRunning = UINT32_MAX;
    struct Block {
        TreeNode node;
        uint32_t home = 0, offset = 0;
        bool moving = false;
        bool logged = false;                // the log has a copy
        uint32_t running_at = kNotRunning;  // its place in `running_`
        std::optional<HeldPage> page;
        Ref<RefCounted> owner;
        Block* next = nullptr;  // of the spare ones
        uint32_t key() const { return home; }
        uint8_t* copy = nullptr;  // what goes into the log; null: the block itself
        uint8_t* bytes() const { return page->data() + offset; }
    };

    Journal(BlockDevice& device, uint32_t block_shift, const LogMap& map, const Shape& shape);
    Sector superblock_sector() const {
        return Sector(uint64_t{map_.find(0).block} << (block_shift_ - 9));
    }
    std::span<uint8_t> buffer(uint32_t number) {
        return {buffers_ + number * format_.block_size, format_.block_size};
    }
    Block* find(uint32_t home);
    void put_away(Block& block);
    Result<void> append(BlockWriter& to, uint8_t* block, Part part);
    void trace(Part part, uint32_t block);
    Result<void> write_revokes(BlockWriter& to);
    uint32_t describe(uint32_t first);
    Result<void> write_blocks(BlockWriter& to);
    Result<void> write_commit_block();
    Result<void> write_transaction();
    Result<void> write_home();
    Result<void> write_superblock(uint32_t start);
    Result<void> flush() { return barriers ? device_.flush() : Result<void>(); }
    Result<void> failed(Result<void> done);

    BlockDevice& device_;
    const uint32_t block_shift_;
    const LogMap& map_;
    Superblock super_;
    const Format format_;
    LogSpace space_;
    uint32_t sequence_;
    bool may_revoke_ = false, failed_ = false;
    uint8_t* buffers_ = nullptr;  // 0: descriptor, revoke, commit; then blocks that are copied
    OrderedTree<Block, &Block::node, &Block::key> blocks_;
    Vector<Block*> running_;  // those of the next commit; null: freed meanwhile
    Vector<uint32_t> revoked_;
    Block* spare_ = nullptr;
    uint32_t spares_ = 0;
};

// journal_trace.cpp, which begins with trace_init(): `transaction` has its first operation, or another, with so many blocks before it;
// is in the log; and all up to it is home. A block that it frees was in the log.
void trace_init();
void trace_begin(const BlockDevice& device, uint32_t transaction);
void trace_join(const BlockDevice& device, uint32_t transaction, uint32_t blocks);
void trace_commit(const BlockDevice& device, uint32_t transaction, uint32_t blocks,
                  uint32_t revokes);
void trace_checkpoint(const BlockDevice& device, uint32_t transaction, uint32_t blocks);
void trace_revoke(const BlockDevice& device, uint32_t transaction, uint32_t block);
void trace_write(const BlockDevice& device, Sector sector, uint32_t sectors, Part part);

}  // namespace journal
