// Mounting ext3: its journal is found, and what its log holds is replayed (fs/journal/replay.hpp)
// before anything else of the disk is looked at, also for a mount that only reads. What is damaged
// is left as it is: the file system can be read, and e2fsck is asked for.
//
//   the log's blocks reach their places | flush | the log is marked as empty | flush |
//   needs_recovery is taken off the superblock
//
// A cut of power anywhere in it leaves a log that is replayed from its start again.
// Locks: none; nobody knows the file system yet.
#include <algorithm>

#include "fs/ext2/journal_place.hpp"
#include "fs/journal/replay.hpp"
#include "fs/mount.hpp"
#include "kernel/lib/log.hpp"

namespace ext2 {

namespace {

// Reads the log in large pieces, and hands over several writes at once. Too large for a stack.
class DiskLog final : public journal::LogStore {
  public:
    DiskLog(Ext2& fs, const journal::LogMap& map)
        : fs_(fs), map_(map), shift_(fs.geometry().block_shift) {}

    Result<std::span<const uint8_t>> read(uint32_t index) override {
        if (index < first_ || index - first_ >= count_) {
            const journal::LogMap::Run run = map_.find(index);
            count_ = 0;
            const uint32_t count = std::min(run.count, kBytes >> shift_);
            TRY(fs_.read_blocks(run.block, count, read_));
            first_ = index;
            count_ = count;
        }
        return std::span<const uint8_t>(read_ + ((index - first_) << shift_), 1u << shift_);
    }
    Result<void> write(uint32_t block, std::span<const uint8_t> contents) override {
        const uint32_t sectors = 1u << (shift_ - 9);
        const uint64_t sector = uint64_t{block} * sectors;
        const bool twice = std::any_of(writes_, writes_ + waiting_,
                                       [&](const BlockIo& io) { return io.sector == sector; });
        if (twice || waiting_ == kBytes >> shift_) TRY(finish());
        uint8_t* const copy = written_ + (waiting_ << shift_);
        std::copy(contents.begin(), contents.end(), copy);
        memory_[waiting_] = {copy, sectors};
        BlockIo& io = writes_[waiting_];
        io.kind = BlockIo::Kind::write;
        io.sector = sector;
        io.count = sectors;
        io.memory = {&memory_[waiting_], 1};
        ++waiting_;
        return {};
    }
    bool may_write(uint32_t block) const override {
        return fs_.geometry().is_data_range(block, 1) && !map_.contains(block);
    }
    Result<void> finish() {
        const uint32_t count = std::exchange(waiting_, 0);
        return count ? fs_.device().submit({writes_, count}) : Result<void>();
    }

  private:
    static constexpr uint32_t kBytes = 32 << 10;

    Ext2& fs_;
    const journal::LogMap& map_;
    const uint32_t shift_;
    uint32_t first_ = 0, count_ = 0;  // blocks of the journal in read_
    uint32_t waiting_ = 0;
    BlockIo writes_[kBytes >> 10];
    MemoryPiece memory_[kBytes >> 10];
    uint8_t read_[kBytes], written_[kBytes];
};

}  // namespace

// Where its blocks are.
Result<void> JournalLoader::find() {
    const Geometry& g = fs_.geometry();
    const InodeRecord record = TRY(fs_.inode_record(InodeNo(kJournalInode)));
    Ref<Ext2Inode> inode = TRY(make_ref<Ext2Inode>(fs_, InodeNo(kJournalInode), record));
    if (inode->check().is_error() || inode->type() != kTypeRegular)
        return refuse("the journal's inode is damaged");
    const uint64_t blocks = inode->cache().size() >> g.block_shift;
    if (blocks == 0 || blocks > g.blocks_count)
        return refuse("the journal has a bad size of {} blocks", blocks);
    const auto end = static_cast<uint32_t>(blocks);
    while (place_.map.blocks() < end) {
        const uint32_t at = place_.map.blocks();
        const Result<Ext2Inode::Run> found = inode->map(at, end - at);
        const Ext2Inode::Run run = found.is_ok() ? found.value() : Ext2Inode::Run{0, 0};
        if (!run.first || !fs_.is_for_contents(run.first, run.count))
            return refuse("block {} of the journal is not where it can be", at);
        Result<void> added = place_.map.append(run.first, run.count);
        if (added.is_error() && added.error() == Errno::inval)
            return refuse("block {} of the journal belongs to it twice", at);
        if (added.is_error()) return added;
    }
    return {};
}

// `change`: of the journal's superblock; everything before is on the disk by then. EIO.
template <typename F>
Result<void> JournalLoader::change_superblock(F&& change) {
    const uint32_t at = place_.map.find(0).block;
    change(*reinterpret_cast<journal::Superblock*>(block_.data()));
    TRY(fs_.flush());
    TRY(fs_.write_blocks(at, 1, block_.data()));
    return fs_.flush();
}

Result<void> JournalLoader::run(bool needs_recovery) {
    TRY(find());
    TRY(block_.resize(fs_.geometry().block_size()));
    TRY(fs_.read_blocks(place_.map.find(0).block, 1, block_.data()));
    const auto& super = *reinterpret_cast<const journal::Superblock*>(block_.data());
    place_.shape = TRY(
        journal::check_superblock(super, fs_.geometry().block_size(), place_.map.blocks(), text_));
    journal::Shape& shape = place_.shape;
    has_error_ = shape.error != 0;
    if (!needs_recovery && !shape.start && !has_error_) return {};
    Box<DiskLog> log = TRY(make_box<DiskLog>(fs_, place_.map));
    journal::Replay replay(shape, *log);
    Result<void> done = replay.scan();
    if (!needs_recovery && shape.start) {
        // As Linux: the superblock knows better. Its numbers must not come again.
        log_warning("ext2: {}: a log that does not count is dropped", fs_.device_name());
        if (done.is_error()) shape.sequence += shape.ring.size();
    } else if (done.is_error()) {
        text_.put(replay.reason());
        return done;
    } else {
        TRY(replay.write_back());
        TRY(log->finish());
        log_info("ext2: {}: {} transactions of the journal were replayed: {} blocks, {} revoked",
                 fs_.device_name(), replay.transactions(), replay.written(), replay.revoked());
    }
    shape.sequence = done.is_ok() ? replay.next_sequence() : shape.sequence;
    shape.start = shape.error = 0;
    return change_superblock([&](journal::Superblock& changed) {
        changed.error = 0;
        journal::set_log(changed, shape.sequence, 0);
    });
}

// What was read of the disk before may be old: it is read again.
Result<Ref<Ext2>> Ext2::load_journal(Ref<Ext2> fs) {
    const bool needs_recovery = fs->needs_recovery_;
    const std::string_view name = fs->device_name();
    if (fs->device_.read_only()) {
        if (!needs_recovery) return fs;
        return refuse_mount(Errno::rofs, "ext2: {}: needs_recovery, but the disk is read-only",
                            name);
    }
    JournalLoader loader(*fs);
    if (Result<void> done = loader.run(needs_recovery); done.is_error()) {
        fs->may_write_ = false;
        log_warning("ext2: {}: stays read-only: {}; run e2fsck", name,
                    done.error() == Errno::inval   ? loader.reason()
                    : done.error() == Errno::nomem ? std::string_view("no memory for the journal")
                                                   : "the journal cannot be read or replayed");
        return fs;
    }
    if (needs_recovery || loader.has_error()) {
        PageCache& disk = fs->metadata_;
        const uint64_t bytes = disk.size();
        TRY(disk.truncate(0));
        disk.set_size(bytes);
        TRY(fs->recovered(loader.has_error()));
        const journal::Options options = fs->options_;
        fs = TRY(open(fs->device_, disk, options));
    }
    fs->journal_place_ = TRY(loader.release_place());
    return fs;
}

// `error`: a journal says that there was one, and e2fsck should look.
Result<void> Ext2::recovered(bool error) {
    HeldPage page = TRY(metadata_.page(0));
    auto& super = *reinterpret_cast<Superblock*>(page.data() + kSuperblockOffset);
    super.features_incompatible &= ~kIncompatRecover;
    if (error) super.state |= kStateErrors;
    TRY(device_.write(Sector(kSuperblockOffset / kSectorSize), sizeof(Superblock) / kSectorSize,
                      &super));
    return device_.flush();
}

}  // namespace ext2
