// A journal (JBD2) as it lies on the disk; all numbers big-endian, unlike the file system's.
//
//   block 0: superblock. Blocks s_first to s_maxlen - 1 are a ring, in it one transaction after
//   the other, each with the next sequence number (ffffffff is followed by 0):
//     [revoke]* ([descriptor][a block for each of its tags])* [commit]
//   The log begins at s_start, with sequence s_sequence; s_start 0: it is empty. It ends before the
//   first block that is not the next one of a transaction. Only what has a commit block counts.
//
//   A tag names the block of the file system that the block behind it is for. One that begins
//   with the journal's own magic is stored with zeros there, and its tag says so (escaped).
//   A revoke block lists blocks whose copies in this and earlier transactions must not be written
//   back: they were freed, and may hold a file's contents by now.
//
//   Checksums: none; 1: the commit block has one of all blocks with tags; 2, 3: each block has its
//   own, with the journal's UUID in it (2 keeps 16 bits for a block with a tag, 3 all 32).
//
// Spec: Documentation/filesystems/ext4/journal.rst (Linux).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernel/lib/crc32.hpp"

namespace journal {

// A number of the disk. Its address may be any.
class Big32 {
  public:
    constexpr operator uint32_t() const {
        return uint32_t{bytes_[0]} << 24 | uint32_t{bytes_[1]} << 16 | uint32_t{bytes_[2]} << 8 |
               bytes_[3];
    }
    constexpr Big32& operator=(uint32_t value) {
        for (int i = 0; i < 4; ++i) bytes_[i] = static_cast<uint8_t>(value >> (24 - 8 * i));
        return *this;
    }

  private:
    uint8_t bytes_[4];
};
class Big16 {
  public:
    constexpr operator uint16_t() const {
        return static_cast<uint16_t>(bytes_[0] << 8 | bytes_[1]);
    }
    constexpr Big16& operator=(uint16_t value) {
        bytes_[0] = static_cast<uint8_t>(value >> 8);
        bytes_[1] = static_cast<uint8_t>(value);
        return *this;
    }

  private:
    uint8_t bytes_[2];
};

constexpr uint32_t kMagic = 0xC03B3998;
constexpr uint32_t kSmallest = 1024;  // blocks of a journal

enum class Kind : uint32_t { descriptor = 1, commit, superblock_v1, superblock_v2, revoke };

struct Header {
    Big32 magic;
    Big32 kind;
    Big32 sequence;
};
static_assert(sizeof(Header) == 12);

struct Superblock {
    Header header;
    Big32 block_size;
    Big32 length;    // in blocks, with this one
    Big32 first;     // block of the ring
    Big32 sequence;  // that the first transaction has
    Big32 start;     // its first block; 0: the log is empty
    Big32 error;     // an errno that the file system's writer left
    // From here on only in version 2.
    Big32 features_compatible;
    Big32 features_incompatible;
    Big32 features_read_only;
    uint8_t uuid[16];
    Big32 users;  // file systems on this journal
    Big32 dynamic_superblock;
    Big32 max_transaction;
    Big32 max_transaction_data;
    uint8_t checksum_type;
    uint8_t unused[3];
    Big32 fast_commit_blocks;
    Big32 head;
    uint8_t unused2[160];
    Big32 checksum;
    uint8_t user_ids[768];
};
static_assert(sizeof(Superblock) == 1024);
static_assert(offsetof(Superblock, start) == 0x1C);
static_assert(offsetof(Superblock, uuid) == 0x30);
static_assert(offsetof(Superblock, checksum_type) == 0x50);
static_assert(offsetof(Superblock, checksum) == 0xFC);

constexpr uint32_t kCompatChecksum = 0x1;
constexpr uint32_t kIncompatRevoke = 0x1, kIncompat64Bit = 0x2, kIncompatAsyncCommit = 0x4,
                   kIncompatChecksum2 = 0x8, kIncompatChecksum3 = 0x10, kIncompatFastCommit = 0x20;
constexpr uint8_t kChecksumCrc32 = 1, kChecksumCrc32c = 4;

// A tag of a descriptor; the journal's features say which. With 64-bit numbers the first has four
// bytes more; with checksum 2 two more, unused. All but those of the same UUID have 16 bytes behind.
struct Tag {
    Big32 block;
    Big16 checksum;  // the lower half of it
    Big16 flags;
};
static_assert(sizeof(Tag) == 8);
struct Tag3 {
    Big32 block;
    Big32 flags;
    Big32 block_high;
    Big32 checksum;
};
static_assert(sizeof(Tag3) == 16);
constexpr uint32_t kTagEscaped = 1, kTagSameUuid = 2, kTagLast = 8;
constexpr uint32_t kUuidBytes = 16;

struct Commit {
    Header header;
    uint8_t checksum_type;
    uint8_t checksum_size;
    uint8_t unused[2];
    Big32 checksum[8];  // the first: of all blocks of the transaction (1), of this one (2, 3)
    Big32 seconds_high;
    Big32 seconds;
    Big32 nanoseconds;
};
static_assert(sizeof(Commit) == 60);
static_assert(offsetof(Commit, checksum) == 16);

// Numbers of blocks follow: four bytes each, eight with 64-bit numbers.
struct Revoke {
    Header header;
    Big32 bytes_used;  // with this head
};
static_assert(sizeof(Revoke) == 16);

enum class Checksums : uint8_t { none, v1, v2, v3 };

// What a journal's superblock says about its other blocks.
struct Format {
    uint32_t block_size;
    bool wide;  // numbers of 64 bits
    Checksums checksums;
    uint32_t seed;  // of checksums 2 and 3: the UUID's

    bool sums_blocks() const { return checksums >= Checksums::v2; }
    // What a descriptor or revoke block has at its end: its checksum.
    uint32_t tail_bytes() const { return sums_blocks() ? 4 : 0; }
    uint32_t tag_bytes() const {
        if (checksums == Checksums::v3) return sizeof(Tag3);
        return static_cast<uint32_t>(sizeof(Tag)) + (checksums == Checksums::v2 ? 2 : 0) +
               (wide ? 4 : 0);
    }
    uint32_t number_bytes() const { return wide ? 8 : 4; }
    // How many tags or numbers one block holds.
    uint32_t most_tags() const {
        return (block_size - tail_bytes() - static_cast<uint32_t>(sizeof(Header)) - kUuidBytes) /
               tag_bytes();
    }
    uint32_t most_revokes() const {
        return (block_size - tail_bytes() - static_cast<uint32_t>(sizeof(Revoke))) / number_bytes();
    }
    // Of a block with a tag, as it lies in the log (with checksums 2 and 3; else 0).
    uint32_t checksum_of(std::span<const uint8_t> block, uint32_t sequence) const {
        if (!sums_blocks()) return 0;
        Big32 number;
        number = sequence;
        const auto* bytes = reinterpret_cast<const uint8_t*>(&number);
        return crc32c(crc32c(seed, {bytes, sizeof number}), block);
    }
    // Of a block that holds its own checksum at this offset, which counts as zeros.
    uint32_t checksum_without(std::span<const uint8_t> block, size_t offset) const {
        constexpr uint8_t kZeros[4] = {};
        uint32_t crc = crc32c(seed, block.first(offset));
        crc = crc32c(crc, kZeros);
        return crc32c(crc, block.subspan(offset + sizeof kZeros));
    }
    uint32_t own_checksum(std::span<const uint8_t> block) const {  // descriptor, revoke
        return checksum_without(block, block_size - 4);
    }
};

// Of two sequence numbers, less than half the circle apart.
constexpr bool is_after(uint32_t a, uint32_t b) { return static_cast<int32_t>(a - b) > 0; }
static_assert(is_after(0, 0xffffffff) && !is_after(5, 5) && !is_after(7, 8));

// The ring of a journal.
struct Ring {
    uint32_t first, end;  // blocks
    uint32_t size() const { return end - first; }
    uint32_t ahead(uint32_t block, uint32_t count) const {  // count <= size()
        return block + count < end ? block + count : block + count - size();
    }
    uint32_t distance(uint32_t from, uint32_t to) const {
        return to >= from ? to - from : to + size() - from;
    }
};

}  // namespace journal
