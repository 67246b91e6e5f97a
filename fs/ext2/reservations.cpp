// Reservations: free blocks behind a file's last one that are kept for it while it is open for writing,
// so that files which grow side by side lie in large pieces. They are ranges in memory, which the
// search for others' blocks steps over: bitmaps and counts, and so the disk after a cut of power, know
// nothing of them.
// Invariant: no two overlap, and each lies in one group, on blocks whose bits are clear.
// Locks: all under the file system's `lock_`.
#include <algorithm>

#include "fs/ext2/ext2.hpp"

namespace ext2 {

Extent Ext2::reserved_behind(uint32_t block) const {
    const Ext2Inode* file = reservations_.find_not_above(block);
    if (!file)
        file = reservations_.first();
    else if (file->reserved.first + file->reserved.count <= block)
        file = reservations_.next(*file);
    return file ? file->reserved : Extent{UINT32_MAX, 0};
}

void Ext2::reserve_behind(Ext2Inode& file, const Extent& got) {
    constexpr uint32_t kMost = 2048, kPartOfGroup = 8;
    drop_reservation(file);
    const uint32_t first = got.first + got.count;
    if (first >= geometry_.blocks_count) return;
    const uint32_t group = (first - geometry_.first_data_block) / geometry_.blocks_per_group;
    Result<HeldDescriptor> info = descriptor(group);
    if (info.is_error()) return;
    const GroupDescriptor& d = *info.value().descriptor;
    Result<MetadataBlock> held = metadata(d.block_bitmap);
    if (held.is_error()) return;
    const uint32_t most =
        std::min({kMost, d.free_blocks_count / kPartOfGroup, reserved_behind(first).first - first});
    const uint32_t count = bitmap_of(held.value(), blocks_in_group(group))
                               .count_clear(first - first_block_of_group(group), most);
    if (!count || !is_for_contents(first, count)) return;
    file.reserved = {first, count};
    reservations_.insert(file);
}

Result<Extent> Ext2::use_reservation(Ext2Inode& file, uint32_t wanted) {
    const Extent got{file.reserved.first, std::min(wanted, file.reserved.count)};
    const uint32_t group = (got.first - geometry_.first_data_block) / geometry_.blocks_per_group;
    HeldDescriptor info = TRY(descriptor(group));
    MetadataBlock held = TRY(metadata(info.descriptor->block_bitmap));
    take(info, bitmap_of(held, blocks_in_group(group)), got.first - first_block_of_group(group),
         got.count);
    if (got.count == file.reserved.count)
        drop_reservation(file);
    else  // its place in the order stays
        file.reserved = {got.first + got.count, file.reserved.count - got.count};
    return got;
}

void Ext2::drop_reservation(Ext2Inode& file) {
    if (!file.reserved.count) return;
    reservations_.remove(file);
    file.reserved = {0, 0};
}

void Ext2::drop_reservations() {
    while (Ext2Inode* file = reservations_.first()) drop_reservation(*file);
}

void Ext2::end_reservation(Ext2Inode& file) {
    LockGuard guard(lock_);
    drop_reservation(file);
}

}  // namespace ext2
