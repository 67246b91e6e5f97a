// The blocks of a transaction, written into buffers: descriptor, revoke, commit. Pure.
//
//   DescriptorWriter out(format, buffer, sequence);          buffer: one block, any contents
//   while (more && !out.full()) {
//       const bool escaped = escape(copy);                   the copy that goes into the log
//       out.add(target, escaped, copy);
//   }
//   out.finish();                                            then buffer is the descriptor
//
// Spec: see layout.hpp.
#pragma once

#include "fs/journal/layout.hpp"
#include "kernel/lib/verify.hpp"

namespace journal {

inline void start_block(std::span<uint8_t> block, Kind kind, uint32_t sequence) {
    __builtin_memset(block.data(), 0, block.size());
    auto& header = *reinterpret_cast<Header*>(block.data());
    header.magic = kMagic;
    header.kind = static_cast<uint32_t>(kind);
    header.sequence = sequence;
}

inline Big32& number_at(std::span<uint8_t> block, uint32_t offset) {
    return *reinterpret_cast<Big32*>(block.subspan(offset, sizeof(Big32)).data());
}

// What a reader would take for a block of the journal itself: zeros in place of the magic, true.
inline bool escape(std::span<uint8_t> block) {
    Big32& start = number_at(block, 0);
    if (start != kMagic) return false;
    start = 0;
    return true;
}

// Checksum 1 of a transaction goes over its descriptors and the blocks with tags, in the log's order.
inline uint32_t add_to_checksum1(uint32_t sum, std::span<const uint8_t> block) {
    return crc32_be(sum, block);
}
constexpr uint32_t kChecksum1Start = ~0u;

class DescriptorWriter {
  public:
    DescriptorWriter(const Format& format, std::span<uint8_t> block, uint32_t sequence)
        : format_(format), block_(block), sequence_(sequence) {
        VERIFY(block.size() == format.block_size);
        start_block(block, Kind::descriptor, sequence);
    }
    uint32_t count() const { return count_; }
    bool full() const { return count_ == format_.most_tags(); }

    // `target`: a block of the file system. `copy`: what the log has of it, after escape().
    void add(uint32_t target, bool escaped, std::span<const uint8_t> copy) {
        VERIFY(!full());
        last_ = at_;
        const uint32_t flags = (escaped ? kTagEscaped : 0) | (count_++ ? kTagSameUuid : 0);
        const uint32_t sum = format_.checksum_of(copy, sequence_);
        if (format_.checksums == Checksums::v3) {
            auto& tag = *reinterpret_cast<Tag3*>(&block_[at_]);
            tag.block = target;
            tag.flags = flags;
            tag.checksum = sum;
        } else {
            auto& tag = *reinterpret_cast<Tag*>(&block_[at_]);
            tag.block = target;
            tag.flags = static_cast<uint16_t>(flags);
            tag.checksum = static_cast<uint16_t>(sum);
        }
        // The first is followed by a UUID: zeros, which nobody reads.
        at_ += format_.tag_bytes() + (flags & kTagSameUuid ? 0 : kUuidBytes);
    }
    void finish() {
        VERIFY(count_ > 0);
        if (format_.checksums == Checksums::v3) {
            auto& tag = *reinterpret_cast<Tag3*>(&block_[last_]);
            tag.flags = tag.flags | kTagLast;
        } else {
            auto& tag = *reinterpret_cast<Tag*>(&block_[last_]);
            tag.flags = static_cast<uint16_t>(tag.flags | kTagLast);
        }
        if (format_.sums_blocks())
            number_at(block_, format_.block_size - 4) = format_.own_checksum(block_);
    }

  private:
    const Format& format_;
    const std::span<uint8_t> block_;
    const uint32_t sequence_;
    uint32_t count_ = 0, at_ = sizeof(Header), last_ = 0;
};

// Allowed by allow_revokes() (superblock.hpp) only.
class RevokeWriter {
  public:
    RevokeWriter(const Format& format, std::span<uint8_t> block, uint32_t sequence)
        : format_(format), block_(block) {
        VERIFY(block.size() == format.block_size);
        start_block(block, Kind::revoke, sequence);
    }
    bool full() const { return count_ == format_.most_revokes(); }
    void add(uint32_t block) {
        VERIFY(!full());
        at_ += format_.number_bytes();
        number_at(block_, at_ - 4) = block;
        ++count_;
    }
    void finish() {
        reinterpret_cast<Revoke*>(block_.data())->bytes_used = at_;
        if (format_.sums_blocks())
            number_at(block_, format_.block_size - 4) = format_.own_checksum(block_);
    }

  private:
    const Format& format_;
    const std::span<uint8_t> block_;
    uint32_t count_ = 0, at_ = sizeof(Revoke);
};

// `checksum1`: of the transaction, for a journal that has this kind.
inline void write_commit(const Format& format, std::span<uint8_t> block, uint32_t sequence,
                         uint64_t seconds, uint32_t nanoseconds, uint32_t checksum1 = 0) {
    VERIFY(block.size() == format.block_size);
    start_block(block, Kind::commit, sequence);
    auto& commit = *reinterpret_cast<Commit*>(block.data());
    commit.seconds_high = static_cast<uint32_t>(seconds >> 32);
    commit.seconds = static_cast<uint32_t>(seconds);
    commit.nanoseconds = nanoseconds;
    if (format.checksums == Checksums::v1) {
        commit.checksum_type = kChecksumCrc32;
        commit.checksum_size = sizeof(uint32_t);
        commit.checksum[0] = checksum1;
    }
    if (format.sums_blocks())
        commit.checksum[0] = format.checksum_without(block, offsetof(Commit, checksum));
}

}  // namespace journal
