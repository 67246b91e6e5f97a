// Checkpoints: what was changed in memory goes to the disk, in an order such that e2fsck -p can
// repair whatever part of it arrived. Its rules: an entry whose inode is not in use is dropped
// without a question, as are wrong counts and bitmaps; an inode in use without an entry, or a block
// with two owners, is not. So at every moment each inode in use on the disk has an entry there:
//
//   1. new blocks of directories, then index blocks      nothing refers to them yet, or they only
//                                                        got more pointers
//   2. inode tables: changed and deleted inodes          created ones are still left out, removed
//                                                        directories still in, and files that got
//                                                        their first name still as orphans
//   3. removed directories leave the tables, in order    a child went before its parent
//   4. the other blocks of directories                   entries of the deleted go, of the created
//                                                        come
//   5. created directories enter the tables, in order,   each has its entry and its contents now
//      then created files and newly named ones
//   6. bitmaps, descriptors, superblock                  from here on what was freed may be used
//   7. the list of orphans                               see orphans.cpp
//
// The disk's own cache is flushed between the steps, and before the second. Contents of files are not part
// of it: fsync and sync write them before. A rename between directories adds the new name, makes a checkpoint, and
// removes the old one. All this is for a file system without a journal: with one, a checkpoint is
// the commit of a transaction (transaction.cpp), and no order matters within it.
#include <algorithm>

#include "fs/ext2/ext2.hpp"
#include "fs/timestamp.hpp"
#include "kernel/lib/log.hpp"

namespace ext2 {

void Ext2::note_write(Result<void> done) {
    needs_barrier_ = true;
    if (done.is_ok()) return;
    if (write_failure_ == Errno{}) write_failure_ = done.error();
    write_errors.note(done.error());
    log_error("ext2: {}: metadata could not be written", device_name());
    note_error();
}

void Ext2::barrier() {
    if (!std::exchange(needs_barrier_, false)) return;
    Result<void> flushed = device_.flush();
    if (flushed.is_error()) note_write(flushed);
    needs_barrier_ = false;
}

void Ext2::note_dirty(Ext2Inode& inode) {
    LockGuard guard(records_);
    if (inode.dirty_node.linked()) return;
    dirty_inodes_.push_back(inode);
    dirty_count_.add(1);
}

void Ext2::note_clean(Ext2Inode& inode) {
    if (!inode.dirty_node.linked()) return;
    inode.dirty_node.unlink();
    dirty_count_.subtract(1);
}

Result<void> Ext2::store(Ext2Inode& inode, const InodeRecord& record) {
    uint32_t offset;
    const TableBlock table = TRY(table_block(inode.number(), offset));
    MetadataBlock held = TRY(metadata(table.block));
    __builtin_memcpy(held.bytes() + offset, &record, sizeof record);
    return touch_table(table);
}

Result<void> Ext2::touch_table(const TableBlock& table) {
    // One block twice in the list is written once: the second time it is clean.
    const PagePart part = part_of(table.block);
    if (metadata_.set_dirty(part.page, part.sectors)) TRY(table_blocks_.push_back(table));
    return {};
}

void Ext2::store_records() {
    for (;;) {
        Ext2Inode* inode;
        InodeRecord record;
        Ref<Ext2Inode> held;
        {
            LockGuard guard(records_);
            inode = dirty_inodes_.pop_front();
            if (!inode) return;
            dirty_count_.subtract(1);
            // One whose last reference is gone has been buried, or goes without having changed.
            if (!inode->try_add_ref()) continue;
            held = Ref<Ext2Inode>::adopt(inode);
            record = inode->record();
        }
        if (store(*inode, record).is_error()) {
            log_error("ext2: {}: inode {} could not be stored", device_name(), inode->number());
            note_error();
            write_failure_ = Errno::io;
        }
    }
}

void Ext2::write_metadata_block(uint32_t block) {
    const PagePart part = part_of(block);
    Result<MetadataBlock> held = metadata(block);
    if (held.is_error() || !metadata_.clear_dirty(part.page, part.sectors))
        return;  // freed meanwhile
    note_write(write_blocks(block, 1, held.value().bytes()));
}

void Ext2::write_directories(bool fresh) {
    for (DirectoryBlock& item : directory_blocks_)
        if (item.fresh == fresh) note_write(item.directory->write_directory_block(item.block));
}

bool Ext2::is_masked(const TableBlock& table) const {
    const uint32_t last = table.first_inode + geometry_.block_size() / geometry_.inode_size;
    auto inside = [&](uint32_t number) { return number >= table.first_inode && number < last; };
    return std::any_of(fresh_.begin(), fresh_.end(),
                       [&](const FreshInode& i) { return inside(i.number); }) ||
           std::any_of(gone_.begin(), gone_.end(),
                       [&](const FormerRecord& i) { return inside(i.number); }) ||
           std::any_of(named_.begin(), named_.end(),
                       [&](const FormerRecord& i) { return inside(i.number); });
}

void Ext2::write_table(const TableBlock& table, const View& view) {
    Result<MetadataBlock> held = metadata(table.block);
    if (held.is_error()) return note_write(held.error());
    __builtin_memcpy(bounce_, held.value().bytes(), geometry_.block_size());
    const uint32_t last = table.first_inode + geometry_.block_size() / geometry_.inode_size;
    auto record_of = [&](uint32_t number) -> uint8_t* {
        if (number < table.first_inode || number >= last) return nullptr;
        return bounce_ + (number - table.first_inode) * geometry_.inode_size;
    };
    for (uint32_t i = view.gone; i < gone_.size(); ++i)
        if (uint8_t* at = record_of(gone_[i].number))
            __builtin_memcpy(at, &gone_[i].before, sizeof(InodeRecord));
    if (!view.all)
        for (const FormerRecord& inode : named_)
            if (uint8_t* at = record_of(inode.number))
                __builtin_memcpy(at, &inode.before, sizeof(InodeRecord));
    uint32_t directories = 0;
    for (const FreshInode& inode : fresh_) {
        const bool shown = view.all || (inode.directory && directories < view.fresh);
        directories += inode.directory;
        uint8_t* at = shown ? nullptr : record_of(inode.number);
        if (at) __builtin_memset(at, 0, sizeof(InodeRecord));
    }
    note_write(write_blocks(table.block, 1, bounce_));
}

// Steps 2, 3 and 5: blocks that hold neither created inodes nor removed directories are written
// once.
void Ext2::write_tables(const View& view) {
    for (const TableBlock& table : table_blocks_) write_table(table, view);
}

void Ext2::write_in_order() {
    needs_barrier_ = true;  // contents that were written before: blocks are not shown without them
    write_directories(true);
    barrier();
    for (uint32_t block : index_blocks_) write_metadata_block(block);
    barrier();
    write_tables({0, 0, false});
    barrier();
    uint32_t offset;
    for (uint32_t i = 0; i < gone_.size(); ++i) {
        Result<TableBlock> table = table_block(InodeNo(gone_[i].number), offset);
        if (table.is_error()) continue;
        // Neighbours in the order that share a block leave with one write.
        const uint32_t next = gone_[i + 1 < gone_.size() ? i + 1 : i].number;
        Result<TableBlock> after = table_block(InodeNo(next), offset);
        if (next != gone_[i].number && after && after.value().block == table.value().block)
            continue;
        write_table(table.value(), {i + 1, 0, false});
        barrier();  // the disk must not order a child's and its parent's otherwise
    }
    write_directories(false);
    barrier();
    uint32_t shown = 0, last_block = 0;
    TableBlock waiting{};
    for (const FreshInode& inode : fresh_) {
        if (!inode.directory) continue;
        Result<TableBlock> table = table_block(InodeNo(inode.number), offset);
        if (table.is_error()) continue;
        if (last_block && last_block != table.value().block) {
            write_table(waiting, {gone_.size(), shown, false});
            barrier();  // a parent's before its children's
        }
        waiting = table.value();
        last_block = waiting.block;
        ++shown;
    }
    if (last_block) write_table(waiting, {gone_.size(), shown, false});
    barrier();
    for (const TableBlock& table : table_blocks_)
        if (is_masked(table)) write_table(table, {gone_.size(), shown, true});
    barrier();
}

void Ext2::write_maps() {
    for (uint32_t block : map_blocks_) write_metadata_block(block);
    map_blocks_.clear();
    barrier();
}

Result<void> Ext2::checkpoint() {
    if (read_only()) return {};
    if (journal_) return commit_transaction();
    free_dead_inodes();
    store_records();
    // e2fsck trusts that what an orphan has is taken.
    if (std::exchange(orphan_grew_, false)) write_maps();
    if (!table_blocks_.empty() || !directory_blocks_.empty() || !index_blocks_.empty())
        write_in_order();
    for (const TableBlock& table : table_blocks_) forget(table.block);
    commit_frees();
    write_maps();
    if (std::exchange(super_changed_, false)) note_write(write_superblock(false));
    barrier();
    update_orphans();
    table_blocks_.clear();
    index_blocks_.clear();
    fresh_.clear();
    gone_.clear();
    named_.clear();
    directory_blocks_.clear();  // may end directories: they go to the dead, if anywhere
    epoch_.add(1);
    const Errno failure = std::exchange(write_failure_, Errno{});
    return failure;
}

}  // namespace ext2
