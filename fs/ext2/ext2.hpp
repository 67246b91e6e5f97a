// ext2, mounted: the instance (Ext2) and its inodes (Ext2Inode, inode.hpp).
// Metadata (descriptors, bitmaps, inode tables, index blocks) lives in the disk's own page cache,
// contents of files and directories in each inode's. Metadata and directories are changed in memory
// and written by a checkpoint, in an order that e2fsck can repair from at any moment: see
// checkpoint.cpp and docs/filesystem.md. With a journal (ext3) what was changed since the last one
// is a transaction, and the checkpoint its commit: see transaction.cpp.
// Invariants: no number from the disk is used before it was checked; what makes no sense is EIO and
// a line in the log that names the inode, once an inode. Blocks and inodes that were freed are not
// used again before a checkpoint has written that they are free.
// Locks: `lock_` (a Mutex, rank file_system) around every change of metadata and each checkpoint;
// with a journal `transaction_` (rank transaction) before it, which each operation holds, and a commit
// while it waits for the contents of files;
// `records_` (a SpinLock, rank inode_cache) for inodes' records and the lists of changed and dead
// inodes, so that looking at attributes never waits for a disk.
#pragma once

#include "drivers/block.hpp"
#include "fs/ext2/geometry.hpp"
#include "fs/ext2/inode.hpp"
#include "fs/journal/journal.hpp"
#include "fs/journal/options.hpp"
#include "kernel/lib/bitmap.hpp"
#include "kernel/lib/vector.hpp"

void ext2_init();  // registers the type

namespace ext2 {

struct JournalPlace;  // journal_place.hpp

// What a block of metadata holds, as far as the order of writing is concerned.
enum class Kind : uint8_t { index, table, map };  // map: bitmaps, descriptors, superblock

class Ext2 final : public FileSystem {
  public:
    static Result<Ref<FileSystem>> mount(std::string_view source, uint32_t flags,
                                         std::string_view options);
    Ext2(BlockDevice& device, PageCache& metadata, const Geometry& geometry,
         const Superblock& super, const journal::Options& options);
    ~Ext2() override;

    std::string_view type_name() const override { return journaled_ ? "ext3" : "ext2"; }
    Ref<Inode> root() override { return root_; }
    FileSystemStatistics statistics() override;
    bool read_only() const override { return read_only_.relaxed(); }
    uint32_t device_number() const override { return device_.device_number(); }
    Result<void> sync() override;
    void write_metadata() override;
    void look_at_clock() override;
    void put_options(TextSink& to) const override;
    Result<void> set_read_only(bool read_only) override;
    bool has_nameless_files() override { return nameless_.relaxed(); }
    void unmounted() override;

    Result<Ref<Inode>> inode(InodeNo number);
    const Geometry& geometry() const { return geometry_; }
    std::string_view device_name() const { return device_.name(); }

    Result<MetadataBlock> metadata(uint32_t block);
    Result<void> read_blocks(uint32_t first, uint32_t count, void* to);
    Result<void> write_blocks(uint32_t first, uint32_t count, const void* from);

    // --- Changes. An operation is a function that runs under the lock; in one that fails for lack
    // of room a checkpoint may free some, and it runs again: it must have undone what it did.
    // With a journal all that it changes is in one transaction. `before`: what goes with it, is done without
    // `lock_`, and may be done twice.
    struct Nothing {
        void operator()() const {}
    };
    template <typename F, typename B = Nothing>
    auto change(F&& operation, B&& before = {}) -> decltype(operation()) {
        if (!journaled_) {
            before();
            return change_now(operation);
        }
        for (bool again = false;;) {
            if (wants_commit_.relaxed()) TRY(commit());
            {
                LockGuard gate(transaction_);
                Result<void> begun = begin_operation();
                if (begun.is_error() && begun.error() != Errno::again) return begun.error();
                if (begun.is_ok()) {
                    before();
                    LockGuard guard(lock_);
                    auto done = operation();
                    const bool full =
                        done.is_error() && done.error() == Errno::nospc && has_pending();
                    if (std::exchange(again, true) || !full) return done;
                }
            }
            TRY(commit());
        }
    }
    // The same for who must not wait for contents: pages of a file are on their way. With a journal EAGAIN if
    // a commit has to come first.
    template <typename F>
    auto change_now(F&& operation) -> decltype(operation()) {
        LockGuard guard(lock_);
        if (read_only()) return Errno::rofs;
        TRY(begin());
        auto done = operation();
        if (done.is_error() && done.error() == Errno::nospc && has_pending()) {
            TRY(checkpoint_first());
            return operation();
        }
        return done;
    }
    Result<void> checkpoint();  // lock held
    bool journaled() const { return journaled_; }
    bool journals_contents() const {
        return journaled_ && options_.data == journal::DataMode::journal;
    }
    bool journal_failed() const { return journal_failed_.relaxed(); }
    // With a journal: what has happened by now is on the disk then, whatever the power does. EIO.
    Result<void> commit();
    // Contents of this file in new blocks: they go to the disk before the transaction.
    void note_ordered(Ext2Inode& file, uint32_t block, uint32_t count);
    // A commit is under way, and waits for such contents: there must be no more of them, but for those of
    // this file that are to be logged. Lock held.
    bool is_closing(const Ext2Inode* except = nullptr) const {
        return closing_ && !(except && except == settling_);
    }
    void bound_transaction() {  // before a change outside change()
        if (wants_commit_.relaxed()) static_cast<void>(commit());
    }
    // In the midst of an operation that goes on whatever comes: if it failed, so does the next one.
    void checkpoint_within() {
        if (Result<void> done = checkpoint(); done.is_error()) write_failure_ = done.error();
    }
    Result<void> write_all_metadata() {
        if (journaled_) return commit();
        LockGuard guard(lock_);
        return checkpoint();
    }

    // All these with the lock held, between begin() and the operation's end.
    Result<MetadataBlock> fresh_metadata(uint32_t block);  // zeros, not read
    void touch(uint32_t block, Kind kind);                 // it was changed, and is in memory
    void forget(uint32_t block);                           // its contents don't matter any more
    void disown(Ext2Inode& file);  // its last name is gone: the journal needs only its blocks
    Result<void> log_block(uint32_t home, MetadataBlock&& held, Ext2Inode* owner,
                           bool moving = false);
    // data=journal: blocks of the file, in its pages `pages`, of which the first block is number `first`.
    Result<void> log_contents(Ext2Inode& file, uint32_t home, uint32_t count, uint32_t first,
                              uint8_t* const* pages);
    // Near `goal`: up to `wanted` blocks in a row; at least one, or ENOSPC.
    Result<Extent> allocate_blocks(uint32_t goal, uint32_t wanted);
    void free_blocks(uint32_t first, uint32_t count);
    // Blocks right behind `got`, as far as they are free, are kept for the file for as long as a process
    // has it open for writing, or until the disk is full otherwise: see reservations.cpp.
    void reserve_behind(Ext2Inode& file, const Extent& got);
    Result<Extent> use_reservation(Ext2Inode& file, uint32_t wanted);  // it has one
    void drop_reservation(Ext2Inode& file);
    void drop_reservations();
    // A directory's blocks that were changed; `fresh`: nothing on the disk refers to it yet.
    void touch_directory(Ext2Inode& directory, uint32_t block, bool fresh);
    Result<Ref<Ext2Inode>> create(Ext2Inode& parent, uint32_t mode, uint32_t uid, uint32_t gid);
    void discard(Ext2Inode& fresh);             // create() undone
    void directory_removed(Ext2Inode& victim);  // before its record changes
    uint32_t first_block_of_group(uint32_t group) const {
        return geometry_.first_data_block + group * geometry_.blocks_per_group;
    }
    uint32_t group_of(InodeNo number) const {
        return (number.raw() - 1) / geometry_.inodes_per_group;
    }
    // Free ones that are not kept for the superuser; no lock needed.
    uint32_t blocks_for_all() const {
        const uint32_t free = free_blocks_.relaxed() + pending_block_count_.relaxed();
        return free > reserved_blocks_ ? free - reserved_blocks_ : 0;
    }
    uint32_t epoch() const { return epoch_.relaxed(); }  // grows with each checkpoint
    void use_large_files();                              // the feature flag
    // None of these blocks is a bitmap, an inode table or a copy of the descriptors.
    bool is_for_contents(uint32_t first, uint32_t count);
    BlockDevice& device() { return device_; }
    Result<void> flush() { return device_.flush(); }

    void end_reservation(Ext2Inode& file);  // takes the lock
    void note_dirty(Ext2Inode& inode);      // its record differs from the table's; no lock needed
    void note_clean(Ext2Inode& inode) REQUIRES(records_);
    void note_nameless(Ext2Inode& inode);  // its last name is gone
    // A file without a name gets one: before its entry is made, and after. Lock held.
    Result<void> expect_name(Ext2Inode& inode);
    void note_named(Ext2Inode& inode);
    bool is_on_disk(const Ext2Inode& inode) const;  // there since a checkpoint, or longer
    void note_orphan_growth() { orphan_grew_ = true; }
    void add_dead_inode(Ext2Inode& inode);  // the last reference is gone, and no name is left
    void note_error();                      // e2fsck should look at it
    SpinLock& records() { return records_; }

  private:
    friend class Repair;
    friend class JournalLoader;
    struct FreshInode {
        uint32_t number;
        bool directory;
    };
    struct FormerRecord {
        uint32_t number;
        InodeRecord before;
    };
    struct TableBlock {
        uint32_t block, first_inode;
    };
    struct DirectoryBlock {
        Ref<Ext2Inode> directory;
        uint32_t block;
        bool fresh;
    };
    struct Orphan {
        Ext2Inode* inode;  // null: ended; one that got a name stays in memory until it has left
        uint32_t number;
        bool directory;
    };
    struct PagePart {
        uint32_t page;
        uint8_t sectors;
    };
    PagePart part_of(uint32_t block) const;
    // How much of what happened an inode table that is being written shows.
    struct View {
        uint32_t gone;   // removals of directories
        uint32_t fresh;  // creations of directories
        bool all;
    };

    // descriptor_at: in its block, which is `block` of the device.
    struct HeldDescriptor {
        MetadataBlock held;
        GroupDescriptor* descriptor;
        uint32_t block;
    };
    Result<HeldDescriptor> descriptor(uint32_t group);
    Result<TableBlock> table_block(InodeNo number, uint32_t& offset);
    Result<InodeRecord> inode_record(InodeNo number);
    Result<void> begin();
    Result<void> begin_operation();
    Result<void> checkpoint_first();
    Result<void> make_room();
    bool has_pending() const { return !pending_blocks_.empty() || !pending_inodes_.empty(); }
    Superblock& fill_superblock(HeldPage& page, bool clean);
    Result<void> write_superblock(bool clean);
    void repair();
    static Result<Ref<Ext2>> open(BlockDevice& device, PageCache& disk,
                                  const journal::Options& options);
    // journal_mount.cpp
    static Result<Ref<Ext2>> load_journal(Ref<Ext2> fs);
    Result<void> recovered(bool error);

    // allocation.cpp
    Result<Extent> allocate_in_group(uint32_t group, uint32_t from, uint32_t wanted, bool roomy);
    void take(HeldDescriptor& group, Bitmap bits, uint32_t at, uint32_t count);  // they are free
    uint32_t blocks_in_group(uint32_t group) const;
    static Bitmap bitmap_of(const MetadataBlock& block, uint32_t bits) {
        return Bitmap({reinterpret_cast<uint32_t*>(block.bytes()), (bits + 31) / 32}, bits);
    }
    // The first reservation that ends behind `block`; behind all blocks if there is none.
    Extent reserved_behind(uint32_t block) const;
    Result<uint32_t> pick_group(const Ext2Inode& parent, bool directory);
    Result<InodeNo> allocate_inode(uint32_t group, bool directory);
    Result<void> clear_blocks(const Extent& extent);
    Result<void> clear_inode(uint32_t number, bool directory);
    void give_back(Ext2Inode& dead);
    void free_dead_inodes();  // frees what dead inodes had

    // checkpoint.cpp
    void store_records();
    Result<void> store(Ext2Inode& inode, const InodeRecord& record);
    Result<void> touch_table(const TableBlock& table);
    void write_metadata_block(uint32_t block);
    void write_directories(bool fresh);
    void write_tables(const View& view);
    void write_table(const TableBlock& table, const View& view);
    bool is_masked(const TableBlock& table) const;
    void write_in_order();
    void commit_frees();
    void write_maps();
    void barrier();
    void note_write(Result<void> done);

    // transaction.cpp
    bool journal_is_large_enough();
    Result<void> open_journal();
    Result<void> close_journal();
    uint32_t transaction_blocks();
    Result<void> begin_transaction();
    Result<void> commit_transaction();
    Result<void> log_changes();
    Result<void> log_metadata(uint32_t block);
    void forget_removed_directories();
    void fail_journal();
    void write_ordered(bool keep_listed);
    void settle_contents();
    void set_closing(bool closing, const Ext2Inode* settling = nullptr) {
        LockGuard guard(lock_);
        closing_ = closing;
        settling_ = settling;
    }

    // orphans.cpp
    void update_orphans();
    void end_orphans_with(uint32_t count, uint32_t next);
    Result<void> write_deletion_time(uint32_t number, uint32_t time);
    void orphan_ended(const Ext2Inode& inode);
    uint32_t count_orphans();
    Result<void> adopt_orphans();
    void release_nameless();

    BlockDevice& device_;
    PageCache& metadata_;
    const Geometry geometry_;
    Mutex transaction_{LockRank::transaction};
    Mutex lock_{LockRank::file_system};
    SpinLock records_{LockRank::inode_records};
    Atomic<bool> read_only_ = true;
    Atomic<uint32_t> nameless_ = 0;  // inodes without a name, since it may be written
    bool may_write_;
    uint16_t mounted_state_;                // what the superblock said when we came
    Nanoseconds last_commit_{0};            // under lock_; the clock's look may be late
    bool has_begun_ = false;                // the transaction has an operation, under lock_
    bool closing_ = false;                  // see is_closing()
    const Ext2Inode* settling_ = nullptr;   // whose contents the commit writes
    Atomic<bool> wants_commit_ = false;     // the transaction is long enough
    Atomic<uint32_t> commits_started_ = 0;  // under lock_
    Atomic<uint32_t> commits_done_ = 0;
    List<Ext2Inode, &Ext2Inode::ordered_node> ordered_ GUARDED_BY(records_);
    uint32_t ordered_passes_ GUARDED_BY(records_) = 0;
    Atomic<bool> journal_failed_ = false;
    Atomic<uint32_t> dirty_count_ = 0;  // changes under records_, of this list:
    List<Ext2Inode, &Ext2Inode::dirty_node> dirty_inodes_ GUARDED_BY(records_);
    List<Ext2Inode, &Ext2Inode::dead_node> dead_inodes_ GUARDED_BY(records_);
    List<Ext2Inode, &Ext2Inode::nameless_node> unlisted_ GUARDED_BY(records_);  // nor buried
    const bool journaled_, needs_recovery_;  // as the superblock says
    const journal::Options options_;
    const bool has_orphan_list_;
    // Under lock_:
    OrderedTree<Ext2Inode, &Ext2Inode::reserve_node, &Ext2Inode::first_reserved> reservations_;
    uint32_t orphan_head_;
    bool orphan_grew_ = false;  // since the last checkpoint
    Vector<Orphan> orphans_;    // as they are listed on the disk
    Atomic<uint32_t> free_blocks_;
    uint32_t free_inodes_;
    const uint32_t reserved_blocks_;
    uint64_t id_ = 0;  // made of its UUID
    Atomic<uint32_t> pending_block_count_ = 0;
    Atomic<uint32_t> epoch_ = 1;
    uint32_t last_group_ = 0;  // where the last directory went
    bool mounting_ = false, large_files_ = false;
    bool super_changed_ = false, needs_barrier_ = false;
    Errno write_failure_{};
    Vector<uint32_t> index_blocks_, map_blocks_;
    Vector<TableBlock> table_blocks_;
    Vector<DirectoryBlock> directory_blocks_;
    Vector<FreshInode> fresh_;
    Vector<FormerRecord> gone_;   // directories that were removed
    Vector<FormerRecord> named_;  // files that had no name at the last checkpoint
    Vector<Extent> pending_blocks_;
    Vector<FreshInode> pending_inodes_;
    uint8_t* bounce_ = nullptr;        // a block on its way
    Box<JournalPlace> journal_place_;  // null: it has none, or none that can be used
    Box<journal::Journal> journal_;    // while it may be written
    uint32_t most_maps_ = 0;           // blocks that all frees together can change
    Ref<Inode> root_;                  // dropped when unmounted: it refers to us
};

}  // namespace ext2
