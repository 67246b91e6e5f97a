// Names, the tree of directories, and counts of links. See repair.hpp.
#include <algorithm>

#include "fs/ext2/repair.hpp"
#include "fs/timestamp.hpp"
#include "kernel/lib/preemption.hpp"

namespace ext2 {

Repair::Directory* Repair::directory(uint32_t number) {
    Directory* found =
        std::lower_bound(directories_.begin(), directories_.end(), number,
                         [](const Directory& d, uint32_t wanted) { return d.number < wanted; });
    return found != directories_.end() && found->number == number ? found : nullptr;
}

Result<void> Repair::check_names() {
    if (!directory(kRootInode)) return refuse("there is no root directory");
    for (const Directory& d : directories_) {
        const InodeRecord record = *TRY(hold(d.number)).record;
        uint32_t seen = 0;
        for (uint32_t i = 0; i < kPointersInInode; ++i) {
            const uint32_t level = i < kDirectBlocks ? 0 : i - kDirectBlocks + 1;
            TRY(visit_blocks(d.number, record.block[i], level, seen));
        }
        if (seen << g_.block_shift != record.size_low)
            return refuse("directory {} has a hole", d.number);
        preemption_point();
    }
    return {};
}

Result<void> Repair::visit_blocks(uint32_t directory, uint32_t block, uint32_t level,
                                  uint32_t& seen) {
    if (!block) return {};
    if (!level) return check_block(directory, block, seen++ == 0);
    const MetadataBlock held = TRY(fs_.metadata(block));
    const auto* pointers = reinterpret_cast<const uint32_t*>(held.bytes());
    for (uint32_t i = 0; i < 1u << g_.pointer_bits(); ++i)
        TRY(visit_blocks(directory, pointers[i], level - 1, seen));
    return {};
}

Result<void> Repair::check_block(uint32_t directory, uint32_t block, bool first) {
    const MetadataBlock held = TRY(fs_.metadata(block));
    const std::span<const uint8_t> bytes(held.bytes(), g_.block_size());
    bool changed = false;
    uint32_t place = first ? 0 : 2;
    for (uint32_t at = 0; at < g_.block_size(); ++place) {
        if (!directory_entry_at(bytes, at, g_.inodes_count))
            return refuse("directory {} is damaged", directory);
        auto& entry = *reinterpret_cast<DirectoryEntry*>(held.bytes() + at);
        changed |= TRY(check_entry(directory, entry, place));
        at += entry.record_length;
    }
    if (first && place < 2) return refuse("directory {} is damaged", directory);
    return changed ? write(block, held.bytes()) : Result<void>();
}

// Entry 0 of a directory is its own, entry 1 its parent's. True: it was changed.
Result<bool> Repair::check_entry(uint32_t number, DirectoryEntry& entry, uint32_t place) {
    const std::string_view name = name_of(entry);
    const bool is_dot = name == ".", is_dot_dot = name == "..";
    if (place < 2 ? !(place ? is_dot_dot : is_dot && entry.inode == number)
                  : entry.inode && (is_dot || is_dot_dot))
        return refuse("directory {} is damaged", number);
    const uint32_t target = entry.inode;
    if (!target && place >= 2) return false;
    if (target < g_.first_inode && target != kRootInode)
        return refuse("a name in directory {} means inode {}", number, target);
    if (!named_.test(target)) {
        if (place < 2) return refuse("directory {} is damaged", number);
        entry.inode = 0;
        return true;
    }
    Directory* child = directory(target);
    if (place == 1)
        directory(number)->dot_dot = target;
    else if (child && place > 1 && std::exchange(child->parent, number))
        return refuse("directory {} has two names", target);
    uint16_t& links = *TRY(links_.word(target));
    if (links < UINT16_MAX) ++links;
    if (!g_.has_file_types) return false;
    const uint8_t type = types_.value(target);
    return std::exchange(entry.type, type) != type;
}

// All hang together, from the root.
Result<void> Repair::check_tree() {
    Directory& root = *directory(kRootInode);
    if (root.parent || root.dot_dot != kRootInode) return refuse("the root directory is damaged");
    root.parent = kRootInode;
    root.reached = true;
    for (Directory& d : directories_) {
        if (!d.parent) return refuse("directory {} has no name", d.number);
        if (d.parent != d.dot_dot) return refuse("directory {} is damaged", d.number);
        uint32_t steps = 0;
        for (Directory* at = &d; !at->reached; at = directory(at->parent))
            if (++steps > directories_.size()) return refuse("directory {} is cut off", d.number);
        for (Directory* at = &d; !std::exchange(at->reached, true); at = directory(at->parent)) {
        }
    }
    return {};
}

Result<void> Repair::check_counts() {
    for (uint32_t number = kRootInode; number <= g_.inodes_count; ++number) {
        if (!named_.test(number)) continue;
        const Held held = TRY(hold(number));
        const uint16_t found = links_.value(number);
        if (found == held.record->links_count) continue;
        if (!found) {
            if ((held.record->mode & kTypeMask) != kTypeRegular || held.record->blocks512)
                return refuse("inode {} has no name", number);
            held.record->deletion_time = disk_seconds(timestamp_now().seconds);
            TRY(inodes_.clear(number));
        }
        held.record->links_count = found;
        TRY(write(held.block, held.table.bytes()));
        preemption_point();
    }
    return {};
}

}  // namespace ext2
