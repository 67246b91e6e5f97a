// See superblock.hpp.
#include "fs/journal/superblock.hpp"

#include <algorithm>

namespace journal {

namespace {

constexpr uint32_t kKnownIncompatible = kIncompatRevoke | kIncompat64Bit | kIncompatAsyncCommit |
                                        kIncompatChecksum2 | kIncompatChecksum3;

Errno refuse(TextSink& reason, std::string_view format, auto... args) {
    format_to(reason, format, args...);
    return Errno::inval;
}

std::span<const uint8_t> bytes_of(const Superblock& super) {
    return {reinterpret_cast<const uint8_t*>(&super), sizeof super};
}

uint32_t checksum_of(const Superblock& super) {
    const Format whole{sizeof super, false, Checksums::v3, ~0u};
    return whole.checksum_without(bytes_of(super), offsetof(Superblock, checksum));
}

bool has_checksum(const Superblock& super) {
    return super.header.kind == static_cast<uint32_t>(Kind::superblock_v2) &&
           super.features_incompatible & (kIncompatChecksum2 | kIncompatChecksum3);
}

Result<void> check_features(const Superblock& super, Format& format, TextSink& reason) {
    const uint32_t features = super.features_incompatible;
    if (const uint32_t unknown = features & ~kKnownIncompatible)
        return unknown == kIncompatFastCommit
                   ? refuse(reason, "unsupported feature of the journal: fast_commit")
                   : refuse(reason, "unsupported features of the journal: 0x{:x}", unknown);
    if (super.features_read_only)
        return refuse(reason, "unsupported features of the journal: read-only 0x{:x}",
                      uint32_t{super.features_read_only});
    const bool v2 = features & kIncompatChecksum2, v3 = features & kIncompatChecksum3;
    const bool v1 = super.features_compatible & kCompatChecksum;
    if (v1 + v2 + v3 > 1) return refuse(reason, "the journal has two kinds of checksums");
    format.wide = features & kIncompat64Bit;
    format.checksums = v1   ? Checksums::v1
                       : v2 ? Checksums::v2
                       : v3 ? Checksums::v3
                            : Checksums::none;
    format.seed = crc32c(~0u, super.uuid);
    if (!has_checksum(super)) return {};
    if (super.checksum_type != kChecksumCrc32c)
        return refuse(reason, "unknown kind {} of the journal's checksums", super.checksum_type);
    if (super.checksum != checksum_of(super))
        return refuse(reason, "bad checksum of the journal's superblock");
    return {};
}

}  // namespace

Result<Shape> check_superblock(const Superblock& super, uint32_t block_size, uint32_t blocks,
                               TextSink& reason) {
    const uint32_t kind = super.header.kind;
    if (super.header.magic != kMagic)
        return refuse(reason, "bad magic 0x{:08x} of the journal", uint32_t{super.header.magic});
    if (kind != static_cast<uint32_t>(Kind::superblock_v1) &&
        kind != static_cast<uint32_t>(Kind::superblock_v2))
        return refuse(reason, "unknown version of the journal's superblock (block type {})", kind);
    if (super.block_size != block_size)
        return refuse(reason, "the journal's blocks have {} bytes, the file system's {}",
                      uint32_t{super.block_size}, block_size);
    Shape shape{{block_size, false, Checksums::none, 0},
                {super.first, super.length},
                super.sequence,
                super.start,
                super.error};
    if (kind == static_cast<uint32_t>(Kind::superblock_v2)) {
        TRY(check_features(super, shape.format, reason));
        shape.asynchronous = super.features_incompatible & kIncompatAsyncCommit;
    }
    const Ring& ring = shape.ring;
    if (ring.end > blocks)
        return refuse(reason, "the journal has {} blocks, its file {}", ring.end, blocks);
    if (ring.end < kSmallest)
        return refuse(reason, "the journal is too small ({} blocks)", ring.end);
    if (ring.first == 0 || ring.first > ring.end - 2)
        return refuse(reason, "bad first block {} of the journal", ring.first);
    if (shape.start && (shape.start < ring.first || shape.start >= ring.end))
        return refuse(reason, "the log starts at block {}, outside the journal", shape.start);
    return shape;
}

void set_log(Superblock& super, uint32_t sequence, uint32_t start) {
    super.sequence = sequence;
    super.start = start;
    if (has_checksum(super)) super.checksum = checksum_of(super);
}

bool allow_revokes(Superblock& super) {
    if (super.header.kind != static_cast<uint32_t>(Kind::superblock_v2)) return false;
    super.features_incompatible = super.features_incompatible | kIncompatRevoke;
    if (has_checksum(super)) super.checksum = checksum_of(super);
    return true;
}

}  // namespace journal
