// Replaying a log: what is committed in it is written to its places in the file system.
//   scan     follows the log to its end, and checks all of it; nothing is written before that
//   revoke   gathers the blocks whose copies must not be written, with the last transaction that says so
//   replay   writes the others, transaction by transaction
// The log ends at the first block that does not belong there. That is how a cut of power leaves it,
// in the midst of a transaction; but if this or the next transaction has a commit block further on,
// or a checksum is wrong in one that is committed, the journal is damaged: an error, and nothing is
// written. A revoke also counts for the transaction that it is in.
// Pure but for the memory of the revoked blocks. Locks: none; the owner's.
// Spec: Documentation/filesystems/ext4/journal.rst (Linux).
#pragma once

#include "fs/journal/superblock.hpp"
#include "kernel/lib/vector.hpp"

namespace journal {

// Where the log and the file system are.
class LogStore {
  public:
    // Block `index` of the journal; good until the next call. EIO.
    virtual Result<std::span<const uint8_t>> read(uint32_t index) = 0;
    // A block of the file system, for which may_write() is true. EIO.
    virtual Result<void> write(uint32_t block, std::span<const uint8_t> contents) = 0;
    // It is a block of the file system, and none of the journal's own.
    virtual bool may_write(uint32_t block) const = 0;

  protected:
    ~LogStore() = default;
};

class Replay {
  public:
    Replay(const Shape& shape, LogStore& store) : shape_(shape), store_(store) {}

    // EINVAL: the journal is damaged, reason() tells where. EIO, ENOMEM.
    Result<void> scan();
    // After scan(). EIO: it can be done again from the start.
    Result<void> write_back();

    std::string_view reason() const { return reason_.view(); }
    uint32_t transactions() const { return end_ - shape_.sequence; }
    uint32_t written() const { return written_; }  // blocks
    uint32_t revoked() const { return skipped_; }  // blocks that were not written
    // What the next transaction has: one that nothing in the log can have.
    uint32_t next_sequence() const { return end_ + 1; }

  private:
    struct Revoked {
        uint32_t block, age;  // age: transactions since the log's start
    };
    struct Place {
        uint32_t block, sequence, used = 0;  // used: blocks of the ring so far
    };
    struct Entry {  // of a descriptor
        uint32_t target, checksum;
        bool escaped, wide;  // wide: its number has more than 32 bits
    };
    template <typename F>
    Result<uint32_t> for_each_tag(F&& visit) const;  // of descriptor_
    bool advance(Place& place, uint32_t blocks) const;
    Result<bool> scan_block(Place& place);
    Result<bool> scan_descriptor(Place& place);
    Result<void> check_entry(const Entry& entry, const Place& place);
    Result<bool> scan_commit(std::span<const uint8_t> block, Place& place);
    bool own_checksum_is_right(std::span<const uint8_t> block, size_t offset) const;
    Result<void> look_for_commit(Place place);
    template <typename F>
    Result<void> for_each_revoke(std::span<const uint8_t> block, F&& visit) const;
    Result<void> gather(std::span<const uint8_t> block, uint32_t age);
    void sort_revoked();
    bool is_revoked(uint32_t block, uint32_t age) const;
    template <typename F>
    Result<void> for_each_block(F&& visit);
    Result<void> replay_entry(const Entry& entry, const Place& place);
    void note_fault(std::string_view what);
    Errno damaged(uint32_t sequence, std::string_view what);

    const Shape shape_;
    LogStore& store_;
    uint32_t end_ = 0;  // the first sequence that is not committed
    uint32_t written_ = 0, skipped_ = 0;
    uint32_t checksum1_ = 0;  // of the transaction so far
    std::string_view
        fault_{};  // of the transaction that is being scanned: counts if it is committed
    Vector<uint8_t> descriptor_;  // the one at hand
    Vector<uint8_t> copy_;        // of an escaped block
    Vector<Revoked> revoked_;
    uint32_t revoked_limit_ = 0;
    char text_[120];
    BufferSink reason_{text_};
};

}  // namespace journal
