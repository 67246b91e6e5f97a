// The first pass: which inodes are in use, and which blocks are whose. See repair.hpp.
#include <algorithm>

#include "fs/ext2/repair.hpp"
#include "fs/timestamp.hpp"
#include "kernel/lib/log.hpp"
#include "kernel/lib/preemption.hpp"

namespace ext2 {

Result<void> Repair::run() {
    TRY(blocks_.init(g_.blocks_count));
    for (SparseBits* bits : {&inodes_, &named_, &orphans_}) TRY(bits->init(g_.inodes_count + 1));
    TRY(links_.init(g_.inodes_count + 1));
    TRY(types_.init(g_.inodes_count + 1));
    TRY(claim_metadata());
    TRY(mark_orphans());
    TRY(check_inodes());
    TRY(check_names());
    TRY(check_tree());
    TRY(check_counts());
    return check_bitmaps();
}

Result<Repair::Held> Repair::hold(uint32_t number) {
    uint32_t offset;
    const Ext2::TableBlock table = TRY(fs_.table_block(InodeNo(number), offset));
    Held held{TRY(fs_.metadata(table.block)), table.block, nullptr};
    held.record = reinterpret_cast<InodeRecord*>(held.table.bytes() + offset);
    return held;
}

Result<void> Repair::write(uint32_t block, const uint8_t* bytes) {
    ++mended_;
    return fs_.write_blocks(block, 1, bytes);
}

Result<void> Repair::claim(uint32_t first, uint32_t count) {
    if (!g_.is_data_range(first, count)) return refuse("block {} is not on the disk", first);
    for (uint32_t i = 0; i < count; ++i)
        if (!TRY(blocks_.set(first + i - g_.first_data_block)))
            return refuse("block {} is in use twice", first + i);
    return {};
}

Result<void> Repair::claim_metadata() {
    const uint32_t table_blocks = (g_.inodes_per_group * g_.inode_size) >> g_.block_shift;
    const uint32_t table_copy = std::min(g_.descriptor_blocks(), g_.first_meta_group);
    for (uint32_t i = 0; i < g_.groups; ++i) {
        uint32_t head = g_.meta_head(i);
        if (!head && g_.has_superblock(i)) head = 1 + table_copy;
        if (head) TRY(claim(fs_.first_block_of_group(i), head));
        const Ext2::HeldDescriptor info = TRY(fs_.descriptor(i));
        TRY(claim(info.descriptor->block_bitmap, 1));
        TRY(claim(info.descriptor->inode_bitmap, 1));
        TRY(claim(info.descriptor->inode_table, table_blocks));
        preemption_point();
    }
    return {};
}

Result<void> Repair::mark_orphans() {
    for (uint32_t next = orphan_head_; next;) {
        if (next < g_.first_inode || next > g_.inodes_count || !TRY(orphans_.set(next)))
            return refuse("the list of orphans makes no sense");
        next = TRY(hold(next)).record->deletion_time;
    }
    return {};
}

Result<void> Repair::check_inodes() {
    uint32_t told = 0;
    for (uint32_t number = 1; number <= g_.inodes_count; ++number) {
        const Held held = TRY(hold(number));
        InodeRecord record = *held.record;
        TRY(check_inode(number, record));
        if (__builtin_memcmp(&record, held.record, sizeof record) != 0) {
            *held.record = record;
            TRY(write(held.block, held.table.bytes()));
        }
        preemption_point();
        const uint32_t tenths = number / (g_.inodes_count / 10 + 1);
        if (g_.groups > 256 && tenths > told)
            log_info("ext2: {}: {} % of the inodes are checked", fs_.device_name(),
                     (told = tenths) * 10);
    }
    return {};
}

Result<void> Repair::check_inode(uint32_t number, InodeRecord& record) {
    const uint32_t now = disk_seconds(timestamp_now().seconds);
    if (number < g_.first_inode && number != kRootInode) {  // the format's own, in use for ever
        TRY(inodes_.set(number));
        TRY(claim_blocks(record));
        return {};
    }
    const bool orphan = orphans_.test(number), named = record.links_count != 0;
    const bool stray_time = record.deletion_time && record.deletion_time <= g_.inodes_count;
    if (!orphan && named)
        record.deletion_time = 0;
    else if (!orphan && ((record.mode && !record.deletion_time) || stray_time))
        record.deletion_time = now;
    if (!orphan && !named) return {};

    const uint8_t* type = std::find(std::begin(kFileTypes) + 1, std::end(kFileTypes),
                                    static_cast<uint8_t>(record.mode >> 12));
    if (type == std::end(kFileTypes)) return refuse("inode {} is of no known type", number);
    *TRY(types_.word(number)) = static_cast<uint8_t>(type - std::begin(kFileTypes));
    TRY(inodes_.set(number));
    if (named) TRY(named_.set(number));
    const bool is_directory = (record.mode & kTypeMask) == kTypeDirectory;
    if (is_directory && named) TRY(directories_.push_back({.number = number}));
    if (is_directory && !named) TRY(nameless_directories_.push_back(number));

    const uint32_t sectors = g_.block_size() >> 9, attributes = record.attribute_block ? 1 : 0;
    // An attribute block may be shared.
    if (attributes && !g_.is_data_range(record.attribute_block, 1))
        return refuse("inode {}: its attributes are not on the disk", number);
    if (attributes) TRY(blocks_.set(record.attribute_block - g_.first_data_block));
    const bool has_blocks =
        is_directory || (record.mode & kTypeMask) == kTypeRegular ||
        ((record.mode & kTypeMask) == kTypeSymlink && record.blocks512 != attributes * sectors);
    if (!has_blocks) return {};
    const Use use = TRY(claim_blocks(record));
    record.blocks512 = (use.blocks + attributes) * sectors;
    const uint64_t last = use.end_of_last << g_.block_shift;
    const uint64_t size = record.size_low | (is_directory ? 0 : uint64_t{record.size_high} << 32);
    if (is_directory ? size != last : size + g_.block_size() <= last) {
        record.size_low = static_cast<uint32_t>(last);
        if (!is_directory) record.size_high = static_cast<uint32_t>(last >> 32);
    }
    return {};
}

Result<Repair::Use> Repair::claim_blocks(const InodeRecord& record) {
    Use use;
    uint64_t at = kDirectBlocks;
    for (uint32_t i = 0; i < kDirectBlocks; ++i) TRY(claim_tree(record.block[i], 0, i, use));
    for (uint32_t level = 1; level <= 3; ++level) {
        TRY(claim_tree(record.block[kDirectBlocks + level - 1], level, at, use));
        at += uint64_t{1} << (level * g_.pointer_bits());
    }
    return use;
}

// `level` index blocks lie above the contents, which begin with the file's block `at`.
Result<void> Repair::claim_tree(uint32_t block, uint32_t level, uint64_t at, Use& use) {
    if (!block) return {};
    TRY(claim(block, 1));
    ++use.blocks;
    if (!level) {
        use.end_of_last = std::max(use.end_of_last, at + 1);
        return {};
    }
    const MetadataBlock held = TRY(fs_.metadata(block));
    const auto* pointers = reinterpret_cast<const uint32_t*>(held.bytes());
    for (uint32_t i = 0; i < 1u << g_.pointer_bits(); ++i)
        TRY(claim_tree(pointers[i], level - 1,
                       at + (uint64_t{i} << ((level - 1) * g_.pointer_bits())), use));
    preemption_point();
    return {};
}

}  // namespace ext2
