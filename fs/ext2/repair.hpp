// Repair: an ext2 that was not unmounted in order is put right before anybody writes to it, as
// `e2fsck -p` would; what that would ask about is left alone, and then nobody may write.
//   inodes   which are in use, which blocks they have; sizes and counts of blocks, times of deletion
//   names    entries whose inode is not in use go; types of entries; each directory has one name
//   counts   links as there are names; files of no bytes without a name go
//   bitmaps  blocks and inodes in use, and all the sums of free ones
// Each change is written at once, and so that the disk can be repaired again at any moment.
// Locks: none; nobody knows the file system yet.
// Spec: e2fsck's passes 1 to 5 (e2fsprogs), PR_PREEN_OK of its problem table.
#pragma once

#include "fs/ext2/ext2.hpp"

namespace ext2 {

// Numbers from 0 on with a bit or a count each, in pieces that exist once one of them is not zero.
template <typename Word, uint32_t kPerWord>
class SparseArray {
  public:
    Result<void> init(uint32_t size) { return pieces_.resize(size / kPerPiece + 1); }
    Result<Word*> word(uint32_t index) {
        Box<Piece>& piece = pieces_[index / kPerPiece];
        if (!piece) piece = TRY(make_box<Piece>());
        return &piece->words[index % kPerPiece / kPerWord];
    }
    Word value(uint32_t index) const {
        const Box<Piece>& piece = pieces_[index / kPerPiece];
        return piece ? piece->words[index % kPerPiece / kPerWord] : Word{};
    }

  private:
    static constexpr uint32_t kWords = (kPageSize - 8) / sizeof(Word),
                              kPerPiece = kWords * kPerWord;
    struct Piece {
        Word words[kWords] = {};
    };
    Vector<Box<Piece>> pieces_;
};

class SparseBits {
  public:
    Result<void> init(uint32_t size) { return words_.init(size); }
    bool test(uint32_t bit) const { return words_.value(bit) >> (bit % 32) & 1; }
    // Whether it was clear. ENOMEM.
    Result<bool> set(uint32_t bit) {
        uint32_t& word = *TRY(words_.word(bit));
        const uint32_t mask = 1u << (bit % 32);
        return !(std::exchange(word, word | mask) & mask);
    }

    Result<void> clear(uint32_t bit) {
        *TRY(words_.word(bit)) &= ~(1u << (bit % 32));
        return {};
    }

  private:
    SparseArray<uint32_t, 32> words_;
};

class Repair {
  public:
    // The list of orphans is worth something unless the disk is known to have errors.
    Repair(Ext2& fs, uint32_t orphan_head)
        : fs_(fs), g_(fs.geometry()), orphan_head_(orphan_head) {}

    // EIO, ENOMEM, and EINVAL for what `e2fsck -p` would ask about: reason() says it in words.
    Result<void> run();
    std::string_view reason() const { return reason_.view(); }
    uint32_t mended() const { return mended_; }  // blocks that were written
    uint32_t free_blocks() const { return free_blocks_; }
    uint32_t free_inodes() const { return free_inodes_; }

  private:
    struct Directory {
        uint32_t number, parent = 0, dot_dot = 0;  // 0: not seen
        bool reached = false;
    };
    struct Use {                   // of one inode's blocks
        uint32_t blocks = 0;       // with index blocks
        uint64_t end_of_last = 0;  // behind the last one of contents
    };
    struct Held {  // an inode's record in its table's block
        MetadataBlock table;
        uint32_t block = 0;
        InodeRecord* record = nullptr;
    };

    template <typename... Args>
    Errno refuse(std::string_view format, const Args&... args) {
        format_to(reason_, format, args...);
        return Errno::inval;
    }
    Result<Held> hold(uint32_t number);
    Result<void> write(uint32_t block, const uint8_t* bytes);
    Directory* directory(uint32_t number);

    // repair_inodes.cpp
    Result<void> claim(uint32_t first, uint32_t count);
    Result<void> claim_metadata();
    Result<void> mark_orphans();
    Result<void> check_inodes();
    Result<void> check_inode(uint32_t number, InodeRecord& record);
    Result<Use> claim_blocks(const InodeRecord& record);
    Result<void> claim_tree(uint32_t block, uint32_t level, uint64_t at, Use& use);

    // repair_names.cpp
    Result<void> check_names();
    Result<void> visit_blocks(uint32_t directory, uint32_t block, uint32_t level, uint32_t& seen);
    Result<void> check_block(uint32_t directory, uint32_t block, bool first);
    Result<bool> check_entry(uint32_t directory, DirectoryEntry& entry, uint32_t place);
    Result<void> check_tree();
    Result<void> check_counts();

    // repair_bitmaps.cpp
    Result<void> check_bitmaps();
    Result<uint32_t> check_bitmap(uint32_t block, uint32_t bits, const SparseBits& wanted,
                                  uint32_t first);

    Ext2& fs_;
    const Geometry& g_;
    const uint32_t orphan_head_;
    char text_[120];
    BufferSink reason_{text_};
    uint32_t mended_ = 0, free_blocks_ = 0, free_inodes_ = 0;
    SparseBits blocks_;                      // in use, from first_data_block on
    SparseBits inodes_, named_;              // in use, by number; those that should have a name
    SparseBits orphans_;                     // on the list
    SparseArray<uint16_t, 1> links_;         // names found
    SparseArray<uint8_t, 1> types_;          // kFileTypes' index
    Vector<Directory> directories_;          // by number
    Vector<uint32_t> nameless_directories_;  // orphans: counted until they are removed
};

}  // namespace ext2
