// Files without a name that are still in use: the list of orphans on the disk, which the superblock begins and
// each member's time of deletion continues. After a cut of power e2fsck, or the next mount, gives their
// space back.
//
//   superblock.last_orphan -> inode 12 (deletion_time 31) -> inode 31 (deletion_time 0)
//
// At every moment the list on the disk is a list: e2fsck -p asks when it meets an inode with a small time
// of deletion that no list names. So the new ones join at the end (the time of the last is 0, as that of
// a deleted inode may be), and only the last one leaves; one before it that has ended stays, without
// blocks, until its turn comes, and so does one that has got a name: e2fsck takes it off the list, and
// cuts it to the size that it has anyway. All blocks of a member are taken in the bitmap on the disk: see
// checkpoint().
// With a journal all this is part of a transaction, and nothing is written here.
// Locks: all with the file system's lock; `unlisted_` under `records_`.
#include "fs/ext2/ext2.hpp"
#include "fs/timestamp.hpp"
#include "kernel/lib/log.hpp"

namespace ext2 {

void Ext2::note_nameless(Ext2Inode& inode) {
    nameless_.add(1);
    LockGuard guard(records_);
    if (!inode.is_listed) unlisted_.push_back(inode);
}

// Until its entry is on the disk the tables go on showing it as they did.
Result<void> Ext2::expect_name(Ext2Inode& inode) {
    if (journaled_ || !is_on_disk(inode)) return {};  // they don't show it at all
    return named_.push_back({inode.number().raw(), TRY(inode_record(inode.number()))});
}

void Ext2::note_named(Ext2Inode& inode) {
    {
        LockGuard guard(records_);
        inode.record().links_count = 1;
        if (inode.nameless_node.linked()) inode.nameless_node.unlink();
    }
    nameless_.subtract(1);
    insert_inode(Ref<Ext2Inode>(inode));
}

Result<void> Ext2::write_deletion_time(uint32_t number, uint32_t time) {
    uint32_t offset;
    const TableBlock table = TRY(table_block(InodeNo(number), offset));
    MetadataBlock held = TRY(metadata(table.block));
    reinterpret_cast<InodeRecord*>(held.bytes() + offset)->deletion_time = time;
    if (journal_) return touch_table(table);
    return write_blocks(table.block, 1, held.bytes());
}

// What the list on the disk says after its first `count` members.
void Ext2::end_orphans_with(uint32_t count, uint32_t next) {
    if (count == 0) {
        orphan_head_ = next;
        super_changed_ = true;
        if (!journal_) note_write(write_superblock(false));
    } else {
        const Orphan& last = orphans_[count - 1];
        if (last.inode) {
            LockGuard guard(records_);
            last.inode->record().deletion_time = next;
        }
        if (Result<void> done = write_deletion_time(last.number, next);
            done.is_error() || !journal_)
            note_write(done);
    }
    barrier();
}

// At the end of a checkpoint: inode tables and bitmaps on the disk are those in memory.
void Ext2::update_orphans() {
    while (!orphans_.empty()) {
        const Orphan gone = orphans_.back();
        if (gone.inode && !gone.inode->record().links_count) break;
        orphans_.pop_back();
        end_orphans_with(orphans_.size(), 0);
        if (gone.inode) gone.inode->is_listed = false;
        if (gone.inode) continue;
        const uint32_t now = disk_seconds(timestamp_now().seconds);
        if (Result<void> done = write_deletion_time(gone.number, now); done.is_error() || !journal_)
            note_write(done);
        if (pending_inodes_.push_back({gone.number, gone.directory}).is_error()) note_error();
    }
    if (!has_orphan_list_) return;
    for (;;) {
        Ext2Inode* inode;
        {
            LockGuard guard(records_);
            inode = unlisted_.pop_front();
        }
        if (!inode) return;
        const uint32_t count = orphans_.size();
        // Not listed: e2fsck finds it in the table of inodes.
        if (orphans_.push_back({inode, inode->number().raw(), inode->is_directory()}).is_error())
            continue;
        inode->is_listed = true;
        end_orphans_with(count, inode->number().raw());
    }
}

// Its blocks have been given back.
void Ext2::orphan_ended(const Ext2Inode& inode) {
    for (Orphan& orphan : orphans_)
        if (orphan.inode == &inode) orphan.inode = nullptr;
}

// How many members the list that the superblock begins has that make sense. A list that comes back to
// itself has none.
uint32_t Ext2::count_orphans() {
    uint32_t count = 0, mark = 0, next_mark = 1;
    for (uint32_t next = orphan_head_; next; ++count) {
        const bool in_range =
            next >= geometry_.first_inode && next <= geometry_.inodes_count && next != mark;
        Result<InodeRecord> record = in_range ? inode_record(InodeNo(next)) : Errno::io;
        if (next == mark) count = 0;
        const bool is_sound = record.is_ok() && record.value().mode &&
                              (!record.value().links_count || inode(InodeNo(next)).is_ok());
        if (!is_sound) {
            log_error("ext2: {}: inode {} is on the list of orphans", device_name(), next);
            note_error();
            break;
        }
        if (count == next_mark) {
            mark = next;
            next_mark *= 2;
        }
        next = record.value().deletion_time;
    }
    return count;
}

// What the last one who wrote here left behind.
Result<void> Ext2::adopt_orphans() {
    if (!orphan_head_) return {};
    // After an error nobody knows what the list is worth; e2fsck doesn't read it either.
    const uint32_t count = mounted_state_ & kStateErrors ? 0 : count_orphans();
    uint32_t removed = 0;
    for (uint32_t i = 0, next = orphan_head_; i < count; ++i) {
        const InodeNo number(next);
        const InodeRecord record = TRY(inode_record(number));
        Ref<Ext2Inode> inode;
        if (record.links_count)
            inode = Ref<Ext2Inode>(static_cast<Ext2Inode&>(*TRY(this->inode(number))));
        else
            inode = TRY(make_ref<Ext2Inode>(*this, number, record));
        TRY(orphans_.push_back({inode.get(), next, inode->is_directory()}));
        inode->is_listed = true;
        if (!record.links_count) {
            ++removed;
            nameless_.add(1);
        }
        next = record.deletion_time;
    }  // the only reference goes: each is buried, unless it has a name
    if (removed) log_info("ext2: {}: {} files without a name are removed", device_name(), removed);
    if (!count) orphan_head_ = 0;
    super_changed_ = true;
    TRY(checkpoint());
    return checkpoint();
}

// The machine stops, and files without a name are open: nobody will use them any more.
void Ext2::release_nameless() {
    auto end = [&](Ext2Inode& inode) {
        inode.free_contents();
        inode.is_released = true;
        LockGuard guard(records_);
        note_clean(inode);
    };
    for (Orphan& orphan : orphans_) {
        if (!orphan.inode || orphan.inode->record().links_count) continue;
        end(*orphan.inode);
        if (store(*orphan.inode, orphan.inode->record()).is_error()) note_error();
        orphan.inode = nullptr;
    }
    for (;;) {
        Ext2Inode* inode;
        {
            LockGuard guard(records_);
            inode = unlisted_.pop_front();
        }
        if (!inode) return;
        end(*inode);
        inode->record().deletion_time = disk_seconds(timestamp_now().seconds);
        if (store(*inode, inode->record()).is_error() ||
            pending_inodes_.push_back({inode->number().raw(), inode->is_directory()}).is_error())
            note_error();
    }
}

}  // namespace ext2
