// ext2 with a journal. The running transaction is what was changed in memory since the last commit;
// every operation is wholly in one, because it holds `transaction_` and `lock_` from its beginning
// to its end. What a commit does, and in which order:
//
//   1. contents of files that got blocks in the transaction      data=ordered: nobody reads what
//                                                                was on the disk there before
//   2. records of changed inodes into their tables, the list of orphans, what was freed into the
//      bitmaps: all of it in memory                              blocks freed here are used again
//                                                                only after 3
//   3. all changed blocks into the log, at once                  see fs/journal/journal.hpp
//
// Blocks go home when the log is half full. 1 is done without `lock_`, for writing pages may need
// it; operations wait only for what the first round left. Meanwhile pages that were written through a
// mapping where the file has holes get no blocks, and stay dirty (EAGAIN). A commit is always this one: an
// operation that finds no room in the log leaves its locks first. Of a file only the pages are written for
// which it got blocks in the transaction: fsync of one waits for nothing else of others. Who wants a
// commit while one is under way waits for the next, and shares it with all who came meanwhile.
// Not needed with a journal: the order of checkpoint.cpp, with its masks of fresh and removed inodes;
// the checkpoints amidst operations of names.cpp; spare names of files that are replaced.
#include "fs/ext2/journal_place.hpp"
#include "fs/write_back.hpp"
#include "kernel/arch/memory_layout.hpp"
#include "kernel/lib/log.hpp"
#include "mm/frames.hpp"

namespace ext2 {

namespace {
constexpr uint32_t kCredit =
    64;  // blocks that one operation can change, but for maps of what it frees
}  // namespace

// --- beginning and end of the journal's use

// One transaction must hold all bitmaps, for one file may have blocks in every group.
bool Ext2::journal_is_large_enough() {
    most_maps_ = 2 * geometry_.groups + geometry_.descriptor_blocks();
    const uint32_t size = journal_place_->shape.ring.size();
    if (most_maps_ + kCredit <= size / 2) return true;
    log_warning("ext3: {}: stays read-only: {} blocks of journal are too few for {} groups",
                device_name(), size, geometry_.groups);
    return false;
}

Result<void> Ext2::open_journal() {
    journal_ = TRY(journal::Journal::open(device_, geometry_.block_shift, journal_place_->map,
                                          journal_place_->shape));
    journal_->barriers = options_.barriers;
    has_begun_ = false;
    return {};
}

Result<void> Ext2::close_journal() {
    if (!journal_) return {};
    Result<void> closed = journal_->close();
    if (closed.is_error()) fail_journal();
    journal_place_->shape.sequence = journal_->sequence();
    journal_ = nullptr;
    return closed;
}

// What is in the log is on the disk, and the next mount plays it back; what is not is lost.
void Ext2::fail_journal() {
    if (journal_failed_.exchange(true)) return;
    log_error("ext3: {}: the journal cannot be written: read-only from now on", device_name());
    read_only_.store_relaxed(true);
    may_write_ = false;
    write_errors.note(Errno::io);
}

// --- the running transaction

void Ext2::put_options(TextSink& to) const {
    if (!journaled_) return;
    if (!options_.barriers) to.put(",barrier=0");
    if (options_.commit_seconds != journal::Options().commit_seconds)
        format_to(to, ",commit={}", options_.commit_seconds);
    format_to(to, ",data={}", journal::kDataModes[static_cast<uint32_t>(options_.data)]);
}

void Ext2::look_at_clock() {
    if (!journaled_ || read_only()) return;
    const uint64_t interval = uint64_t{options_.commit_seconds} * 1'000'000'000;
    {
        LockGuard guard(lock_);
        if (!wants_commit_.relaxed() && write_back_clock() < last_commit_ + interval) return;
    }
    static_cast<void>(commit());  // the log says so
}

// At most: one table for each changed inode.
uint32_t Ext2::transaction_blocks() {
    return index_blocks_.size() + map_blocks_.size() + table_blocks_.size() +
           directory_blocks_.size() + journal_->added() + dirty_count_.relaxed() + 1;
}

// Room in the log for one more operation, whatever it does.
Result<void> Ext2::begin_transaction() {
    constexpr uint32_t kPartOfLog = 4, kMemoryStep = 256;
    const uint32_t size = transaction_blocks();
    if (size > journal_->capacity() / kPartOfLog) wants_commit_.store_relaxed(true);
    if (!closing_ && !journal_->fits(size + most_maps_ + kCredit)) {
        if (has_begun_ || size > 1) return checkpoint_first();
        if (Result<void> done = journal_->checkpoint(); done.is_error()) {
            fail_journal();
            return done;
        }
    }
    TRY(journal_->reserve(align_up(size + kCredit, kMemoryStep)));
    if (!std::exchange(has_begun_, true)) journal::trace_begin(device_, journal_->sequence());
    journal::trace_join(device_, journal_->sequence(), size);
    return {};
}

void Ext2::note_ordered(Ext2Inode& file, uint32_t block, uint32_t count) {
    if (!journaled_ || options_.data == journal::DataMode::writeback) return;
    const uint32_t shift = kPageShift - geometry_.block_shift;
    const uint32_t first = block >> shift, last = (block + count - 1) >> shift;
    LockGuard guard(records_);
    if (file.ordered_node.linked()) {
        file.ordered_first = std::min(file.ordered_first, first);
        file.ordered_last = std::max(file.ordered_last, last);
        return;
    }
    file.ordered_first = first;
    file.ordered_last = last;
    ordered_.push_back(file);
}

// Writes such contents of listed files; of those listed meanwhile too, unless they stay on the list: then
// once around, or as far as another pass that began later.
void Ext2::write_ordered(bool keep_listed) {
    uint32_t pass = 0;
    for (;;) {
        Ref<Ext2Inode> file;
        uint32_t page = 0, last = 0;
        {
            LockGuard guard(records_);
            Ext2Inode* next = ordered_.pop_front();
            if (!next) return;
            if (keep_listed) {
                ordered_.push_back(*next);
                if (!pass) pass = ++ordered_passes_;
                if (static_cast<int32_t>(next->ordered_pass - pass) >= 0) return;
                next->ordered_pass = pass;
            }
            if (!next->try_add_ref()) continue;  // it goes, and its blocks with it
            file = Ref<Ext2Inode>::adopt(next);
            page = next->ordered_first;
            last = next->ordered_last;
        }
        if (!keep_listed) set_closing(true, file.get());
        // Errors are told to who has it open.
        static_cast<void>(file->cache().write_back_placed(page, last));
    }
}

// With the gate held: no file gets blocks any more, and those of the transaction have their contents.
void Ext2::settle_contents() {
    set_closing(true);
    write_ordered(false);
}

// A directory's block, or a symbolic link's: who looks at it wants the page, so the inode stays.
Result<void> Ext2::log_block(uint32_t home, MetadataBlock&& held, Ext2Inode* owner, bool moving) {
    return journal_->add(home, std::move(held.page), held.offset,
                         owner ? Ref<RefCounted>(*owner) : Ref<RefCounted>(), moving);
}

Result<void> Ext2::log_contents(Ext2Inode& file, uint32_t home, uint32_t count, uint32_t first,
                                uint8_t* const* pages) {
    const uint32_t shift = geometry_.block_shift, per_page = kPageSize >> shift;
    for (uint32_t i = 0; i < count; ++i) {
        uint8_t* const page = pages[(first + i) / per_page];
        const Frame frame = frame_of(to_physical(page));
        get_frame(frame);
        MetadataBlock held{HeldPage(frame), ((first + i) % per_page) << shift};
        // One without a name may go at any time, and nobody else will read it.
        Ext2Inode* owner = file.record().links_count ? &file : nullptr;
        TRY(log_block(home + i, std::move(held), owner, true));
    }
    return {};
}

void Ext2::disown(Ext2Inode& file) {
    if (!journal_ || (file.type() == kTypeRegular && !journals_contents())) return;
    const auto blocks = static_cast<uint32_t>(file.cache().size() >> geometry_.block_shift);
    for (uint32_t block = 0; block < blocks;) {
        Result<Ext2Inode::Run> run = file.map(block, blocks - block);
        if (run.is_error()) return;
        for (uint32_t i = 0; run.value().first && i < run.value().count; ++i)
            journal_->disown(run.value().first + i);
        block += run.value().count;
    }
}

// --- its commit

Result<void> Ext2::commit() {
    if (journal_failed()) return Errno::io;
    const uint32_t wanted = commits_started_.load() + 1;
    write_ordered(true);  // most of it, while others go on
    LockGuard gate(transaction_);
    if (static_cast<int32_t>(commits_done_.load() - wanted) >= 0)
        return journal_failed() ? Result<void>(Errno::io) : Result<void>();
    settle_contents();
    LockGuard guard(lock_);
    closing_ = false;
    return checkpoint();
}

// So that their inodes can go in this transaction.
void Ext2::forget_removed_directories() {
    for (uint32_t i = directory_blocks_.size(); i-- > 0;) {
        if (directory_blocks_[i].directory->record().links_count) continue;
        if (i + 1 < directory_blocks_.size())
            directory_blocks_[i] = std::move(directory_blocks_.back());
        directory_blocks_.pop_back();
    }
}

Result<void> Ext2::log_metadata(uint32_t block) {
    const PagePart part = part_of(block);
    MetadataBlock held = TRY(metadata(block));
    if (!metadata_.clear_dirty(part.page, part.sectors)) return {};  // listed twice, or freed
    return log_block(block, std::move(held), nullptr);
}

Result<void> Ext2::log_changes() {
    for (uint32_t block : index_blocks_) TRY(log_metadata(block));
    for (uint32_t block : map_blocks_) TRY(log_metadata(block));
    for (const TableBlock& table : table_blocks_) TRY(log_metadata(table.block));
    for (DirectoryBlock& item : directory_blocks_)
        TRY(item.directory->log_directory_block(item.block));
    if (!std::exchange(super_changed_, false)) return {};
    HeldPage page = TRY(metadata_.page(0));
    fill_superblock(page, false);
    const uint32_t block = kSuperblockOffset >> geometry_.block_shift;
    return journal_->add(block, std::move(page), block << geometry_.block_shift, {});
}

Result<void> Ext2::commit_transaction() {
    commits_started_.add(1);
    has_begun_ = false;
    last_commit_ = write_back_clock();
    forget_removed_directories();
    free_dead_inodes();
    store_records();
    update_orphans();
    commit_frees();
    Result<void> done = log_changes();
    if (done.is_ok()) done = journal_->commit();
    if (const Errno failure = std::exchange(write_failure_, Errno{}); failure != Errno{})
        done = failure;
    // Half of the log, or much of the memory: the rest must do for the next transaction.
    const uint32_t most_pinned = memory_totals().low_total / 16;
    if (done.is_ok() &&
        (journal_->used() > journal_->capacity() / 2 || journal_->pinned() > most_pinned))
        done = journal_->checkpoint();
    if (done.is_error()) fail_journal();
    index_blocks_.clear();
    map_blocks_.clear();
    table_blocks_.clear();
    directory_blocks_.clear();
    wants_commit_.store_relaxed(false);
    epoch_.add(1);
    commits_done_.add(1);
    return done;
}

}  // namespace ext2
