// See geometry.hpp.
#include "fs/ext2/geometry.hpp"

#include <algorithm>
#include <bit>

namespace ext2 {

namespace {

bool is_power_of(uint32_t n, uint32_t base) {
    while (n > 1 && n % base == 0) n /= base;
    return n == 1;
}
uint32_t overhead_of(const Geometry& g) {
    const uint32_t table = std::min(g.descriptor_blocks(), g.first_meta_group);
    const uint32_t inodes = (g.inodes_per_group * g.inode_size) >> g.block_shift;
    uint32_t heads = 0;
    for (uint32_t i = 0; i < g.groups; ++i) {
        const uint32_t head = g.meta_head(i);
        heads += head ? head : g.has_superblock(i);
        if (g.has_superblock(i)) heads += table;
    }
    return g.first_data_block + heads + g.groups * (2 + inodes);
}

Errno refuse(TextSink& reason, std::string_view format, auto... args) {
    format_to(reason, format, args...);
    return Errno::inval;
}

// The numbers that others are computed with.
Result<void> check_sizes(const Superblock& super, const Geometry& g, TextSink& reason) {
    const uint32_t bits = 8 * g.block_size();
    if (g.inode_size < 128 || g.inode_size > g.block_size() || !std::has_single_bit(g.inode_size))
        return refuse(reason, "bad inode size {}", g.inode_size);
    if (g.first_inode < 11) return refuse(reason, "bad first inode {}", g.first_inode);
    if (super.first_data_block != (g.block_shift == 10 ? 1u : 0u))
        return refuse(reason, "bad first data block {}", super.first_data_block);
    if (g.blocks_per_group < 8 || g.blocks_per_group > bits)
        return refuse(reason, "bad number of blocks per group {}", g.blocks_per_group);
    if (g.inodes_per_group == 0 || g.inodes_per_group > bits)
        return refuse(reason, "bad number of inodes per group {}", g.inodes_per_group);
    if (g.blocks_count <= g.first_data_block + 1)
        return refuse(reason, "bad number of blocks {}", g.blocks_count);
    return {};
}

// What follows from them must fit together, and on the device.
Result<void> check_extent(const Geometry& g, uint64_t device_bytes, TextSink& reason) {
    if (g.inodes_count < g.first_inode || g.inodes_count > uint64_t{g.groups} * g.inodes_per_group)
        return refuse(reason, "bad number of inodes {}", g.inodes_count);
    const uint64_t device_blocks = device_bytes >> g.block_shift;
    if (g.blocks_count > device_blocks)
        return refuse(reason, "the disk is smaller than its file system ({} of {} KiB): truncated?",
                      device_bytes >> 10, uint64_t{g.blocks_count} << (g.block_shift - 10));
    const uint64_t table_blocks = std::min(g.descriptor_blocks(), g.first_meta_group);
    if (g.descriptor_table + table_blocks > g.blocks_count)
        return refuse(reason, "group descriptors beyond the end");
    return {};
}

// Whether it has a journal that we can look for.
Result<void> check_journal(const Superblock& super, TextSink& reason) {
    if (!(super.features_compatible & kCompatJournal)) {
        if (super.features_incompatible & kIncompatRecover)
            return refuse(reason, "needs_recovery, but there is no journal");
        return {};
    }
    if (super.journal_device)
        return refuse(reason, "its journal is on another disk (external journal): unsupported");
    if (super.journal_inode != kJournalInode)
        return refuse(reason, "the journal is inode {}, not {}", super.journal_inode,
                      kJournalInode);
    return {};
}

}  // namespace

// With sparse_super only groups 0, 1 and powers of 3, 5, 7 hold copies of the superblock.
bool Geometry::has_superblock(uint32_t group) const {
    return !sparse_supers || group <= 1 || is_power_of(group, 3) || is_power_of(group, 5) ||
           is_power_of(group, 7);
}

// With meta_bg: in the first, second and last group of those that it describes; the first is the one
// in use.
uint32_t Geometry::descriptor_block(uint32_t index) const {
    if (index < first_meta_group) return descriptor_table + index;
    const uint32_t group = index * descriptors_per_block();
    return first_data_block + group * blocks_per_group + has_superblock(group);
}

uint32_t Geometry::meta_head(uint32_t group) const {
    const uint32_t at = group % descriptors_per_block();
    if (group / descriptors_per_block() < first_meta_group) return 0;
    return has_superblock(group) + (at <= 1 || at == descriptors_per_block() - 1);
}

Result<Geometry> check_superblock(const Superblock& super, uint64_t device_bytes,
                                  TextSink& reason) {
    if (super.magic != kMagic) return refuse(reason, "bad magic 0x{:04x}", super.magic);
    if (super.revision > 1) return refuse(reason, "unknown revision {}", super.revision);
    if (super.revision && (super.features_incompatible & ~kKnownIncompatible)) {
        reason.put("unsupported features: ");
        name_features(super.features_incompatible, kKnownIncompatible, kIncompatibleNames, reason);
        return Errno::inval;
    }
    if (super.revision) TRY(check_journal(super, reason));
    if (super.log_block_size > 2)
        return refuse(reason, "unsupported block size 2^{}", 10 + uint64_t{super.log_block_size});
    Geometry g{};
    g.block_shift = 10 + super.log_block_size;
    g.blocks_count = super.blocks_count;
    g.inodes_count = super.inodes_count;
    g.first_data_block = super.first_data_block;
    g.blocks_per_group = super.blocks_per_group;
    g.inodes_per_group = super.inodes_per_group;
    g.inode_size = super.revision ? super.inode_size : 128;
    g.first_inode = super.revision ? super.first_inode : 11;
    g.descriptor_table = super.first_data_block + 1;
    const bool meta = super.revision && (super.features_incompatible & kIncompatMetaGroups);
    g.first_meta_group = meta ? super.first_meta_group : UINT32_MAX;
    g.sparse_supers = super.revision && (super.features_read_only & kReadOnlySparseSuper);
    g.has_file_types = super.revision && (super.features_incompatible & kIncompatFiletype);
    TRY(check_sizes(super, g, reason));
    g.groups = (g.blocks_count - g.first_data_block - 1) / g.blocks_per_group + 1;
    TRY(check_extent(g, device_bytes, reason));
    g.overhead = std::min(overhead_of(g), g.blocks_count);
    return g;
}

void name_features(uint32_t flags, uint32_t known, const char* const (&names)[32], TextSink& to) {
    bool first = true;
    for (uint32_t bit = 0; bit < 32; ++bit) {
        if (!((flags & ~known) >> bit & 1)) continue;
        if (!first) to.put(" ");
        first = false;
        if (names[bit])
            to.put(names[bit]);
        else
            format_to(to, "bit {}", bit);
    }
}

std::string_view recognise(std::span<const uint8_t> bytes, uint32_t position) {
    struct Signature {
        uint32_t offset;
        std::string_view bytes;
        std::string_view what;
    };
    static constexpr Signature kSignatures[] = {
        {0x8001, "CD001", "an ISO 9660 file system"},
        {54, "FAT", "a FAT file system"},
        {82, "FAT32", "a FAT file system"},
        {3, "NTFS", "an NTFS file system"},
        {3, "EXFAT", "an exFAT file system"},
        {0, "XFSB", "an XFS file system"},
        {0, "hsqs", "a squashfs file system"},
        {4086, "SWAPSPACE2", "swap space"},
        {0, "QFI\xfb", "a qcow2 image"},
        {0, "\x1f\x8b", "gzip data"},
        {510, "\x55\xaa", "a boot sector, perhaps with partitions"}};
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    for (const Signature& s : kSignatures)
        if (s.offset >= position && s.offset - position < text.size() &&
            text.substr(s.offset - position).starts_with(s.bytes))
            return s.what;
    return "";
}

bool is_all_zero(std::span<const uint8_t> bytes) {
    return std::all_of(bytes.begin(), bytes.end(), [](uint8_t byte) { return byte == 0; });
}

}  // namespace ext2
