// Mounting ext2, and reading its metadata: see ext2.hpp.
#include <algorithm>
#include <bit>

#include "fs/ext2/journal_place.hpp"
#include "fs/ext2/repair.hpp"
#include "fs/mount.hpp"
#include "fs/write_back.hpp"
#include "kernel/lib/log.hpp"

namespace ext2 {

namespace {

// A disk without the magic: what is it then?
Errno report_foreign_format(std::string_view name, const Superblock& super, PageCache& disk) {
    constexpr uint32_t kPages = 9;  // up to where ISO 9660 starts
    char what[80] = {};
    std::string_view known = "";
    bool all_zero = true;
    for (uint32_t page : {0u, kPages - 1}) {
        Result<HeldPage> held = disk.page(page);
        if (held.is_error() || uint64_t{page} << kPageShift >= disk.size()) continue;
        std::span<const uint8_t> bytes(held.value().data(), kPageSize);
        std::string_view seen = recognise(bytes, page << kPageShift);
        all_zero = all_zero && is_all_zero(bytes);
        if (!seen.empty() && known.empty()) known = seen;
    }
    if (known.empty() && all_zero) known = "the disk is empty";
    if (!known.empty()) known = format_in(what, " ({})", known);
    return refuse_mount(Errno::inval, "ext2: {}: bad magic 0x{:04x}{}", name, super.magic, known);
}

// Features that we don't know and that only writing would harm.
bool may_write_with(std::string_view name, const Superblock& super) {
    if (!super.revision) return true;
    char names[120];
    BufferSink text(names);
    name_features(super.features_compatible, ~kCompatNotWritten, kCompatibleNames, text);
    name_features(super.features_read_only, kKnownReadOnly, kReadOnlyNames, text);
    if (text.view().empty()) return true;
    log_warning("ext2: {}: read-only because of features: {}", name, text.view());
    return false;
}

}  // namespace

Result<Ref<FileSystem>> Ext2::mount(std::string_view source, uint32_t flags,
                                    std::string_view words) {
    journal::Options options;
    while (!words.empty()) {
        const std::string_view word = next_mount_option(words);
        if (!journal::apply(word, options))
            return refuse_mount(Errno::inval, "ext2: {}: bad option '{}'", source, word);
    }
    BlockDevice* device = find_block_device(source);
    if (!device) return refuse_mount(Errno::nxio, "ext2: no disk named {}", source);
    const uint64_t bytes = device->sectors() * kSectorSize;
    if (bytes < kSuperblockOffset + sizeof(Superblock))
        return refuse_mount(Errno::inval, "ext2: {}: the disk is too small ({} bytes)", source,
                            bytes);
    PageCache& disk = *TRY(device_cache(*device));
    Ref<Ext2> fs = TRY(open(*device, disk, options));
    if (options.given && !fs->journaled_)
        return refuse_mount(Errno::inval, "ext2: {}: options for a journal, and it has none",
                            source);
    if (fs->journaled_) fs = TRY(load_journal(std::move(fs)));
    if ((fs->mounted_state_ & (kStateClean | kStateErrors)) != kStateClean) fs->repair();
    Result<Ref<Inode>> root = fs->inode(InodeNo(kRootInode));
    if (root.is_error() || !root.value()->attributes().is_directory())
        return refuse_mount(Errno::inval, "ext2: {}: the root directory is damaged", source);
    fs->root_ = root.release_value();
    if (!(flags & kMountReadOnly)) TRY(fs->set_read_only(false));
    return fs;
}

Result<Ref<Ext2>> Ext2::open(BlockDevice& device, PageCache& disk,
                             const journal::Options& options) {
    const std::string_view name = device.name();
    Result<HeldPage> start = disk.page(0);
    if (start.is_error())
        return refuse_mount(start.error(), "ext2: {}: the superblock cannot be read", name);
    const auto& super =
        *reinterpret_cast<const Superblock*>(start.value().data() + kSuperblockOffset);
    if (super.magic != kMagic) return report_foreign_format(name, super, disk);
    char reason_buffer[160];
    BufferSink reason(reason_buffer);
    Result<Geometry> geometry = check_superblock(super, device.sectors() * kSectorSize, reason);
    if (geometry.is_error())
        return refuse_mount(geometry.error(), "ext2: {}: {}", name, reason.view());
    return make_ref<Ext2>(device, disk, geometry.value(), super, options);
}

Ext2::Ext2(BlockDevice& device, PageCache& metadata, const Geometry& geometry,
           const Superblock& super, const journal::Options& options)
    : device_(device),
      metadata_(metadata),
      geometry_(geometry),
      may_write_(!device.refuses_writes() && may_write_with(device.name(), super)),
      mounted_state_(super.state),
      journaled_(super.revision && (super.features_compatible & kCompatJournal)),
      needs_recovery_(journaled_ && super.features_incompatible & kIncompatRecover),
      options_(options),
      has_orphan_list_(super.revision != 0),
      orphan_head_(has_orphan_list_ ? super.last_orphan : 0),
      free_blocks_(super.free_blocks_count),
      free_inodes_(super.free_inodes_count),
      reserved_blocks_(super.reserved_blocks_count) {
    uint64_t halves[2];
    __builtin_memcpy(halves, super.uuid, sizeof halves);
    if (super.revision) id_ = halves[0] ^ halves[1];
}

Ext2::~Ext2() { delete[] bounce_; }

// After a cut of power, or errors: before any write, and also for a mount that only reads, as a journal
// is played back for everyone.
void Ext2::repair() {
    if (!may_write_) return;
    log_info("ext2: {}: not cleanly unmounted: it is checked", device_name());
    const bool errors = mounted_state_ & kStateErrors;
    if (errors) orphan_head_ = 0;  // nobody knows what the list is worth
    Result<Box<Repair>> repair = make_box<Repair>(*this, orphan_head_);
    Result<void> done = repair.is_ok() ? repair.value()->run() : repair.error();
    if (done.is_error()) {
        may_write_ = false;
        log_warning("ext2: {}: stays read-only: {}; run e2fsck", device_name(),
                    done.error() == Errno::inval   ? repair.value()->reason()
                    : done.error() == Errno::nomem ? std::string_view("no memory for the check")
                                                   : "it cannot be read or written");
        return;
    }
    free_blocks_ = repair.value()->free_blocks();
    free_inodes_ = repair.value()->free_inodes();
    mounted_state_ = static_cast<uint16_t>((mounted_state_ | kStateClean) & ~kStateErrors);
    log_info("ext2: {}: {} blocks were mended", device_name(), repair.value()->mended());
}

void Ext2::unmounted() {
    if (set_read_only(true).is_error())
        log_error("ext2: {}: not all could be written", device_name());
    root_ = nullptr;
    journal_ = nullptr;
    forget_inodes(*this);
}

Result<void> Ext2::set_read_only(bool wanted) {
    if (wanted == read_only()) return {};
    if (!wanted) {
        if (!may_write_) return {};  // it stays as it is; read_only() tells
        if (journaled_ && !journal_is_large_enough()) return {};
        if (!bounce_) bounce_ = new (std::nothrow) uint8_t[kPageSize];
        if (!bounce_) return Errno::nomem;
        LockGuard guard(lock_);
        mounting_ = true;
        TRY(write_superblock(false));
        TRY(device_.flush());
        if (journaled_) TRY(open_journal());
        nameless_.store_relaxed(0);
        read_only_.store_relaxed(false);
        return adopt_orphans();
    }
    Result<void> done = sync();
    LockGuard gate(transaction_);
    if (journaled_) settle_contents();
    LockGuard guard(lock_);
    closing_ = false;
    drop_reservations();
    release_nameless();
    Result<void> last = checkpoint();
    if (has_pending()) note_write(checkpoint());  // of orphans that have left the list by now
    Result<void> closed = close_journal();
    if (closed.is_error()) return closed;
    read_only_.store_relaxed(true);
    Result<void> marked = write_superblock(true);
    Result<void> flushed = device_.flush();
    for (const Result<void>* result : {&done, &last, &marked, &flushed})
        if (result->is_error()) return result->error();
    return {};
}

Result<void> Ext2::sync() {
    if (read_only()) return {};
    Result<void> contents = write_back_file_system(*this);
    TRY(write_all_metadata());
    TRY(device_.flush());
    return contents;
}

void Ext2::write_metadata() {
    if (read_only()) return;
    if (journaled_) return;  // see look_at_clock()
    if (sync().is_error()) log_error("ext2: {}: not all could be written", device_name());
}

// Room in the lists for what one operation adds.
Result<void> Ext2::make_room() {
    constexpr uint32_t kBlocks = 256, kRecords = 16;
    auto reserve = [](auto& list, uint32_t more) {
        return list.reserve(std::bit_ceil(list.size() + more));
    };
    TRY(reserve(index_blocks_, kBlocks));
    TRY(reserve(map_blocks_, kBlocks));
    TRY(reserve(table_blocks_, kBlocks));
    TRY(reserve(directory_blocks_, kBlocks));
    TRY(reserve(gone_, kRecords));
    TRY(reserve(named_, kRecords));
    TRY(reserve(fresh_, kRecords));
    return reserve(pending_inodes_, kRecords);
}

// With a journal contents may have to be written before: that is for who has no lock, by commit().
Result<void> Ext2::checkpoint_first() {
    if (!journaled_) return checkpoint();
    wants_commit_.store_relaxed(true);
    return Errno::again;
}

// What has ended meanwhile is freed.
Result<void> Ext2::begin() {
    constexpr uint32_t kBatch = 2048;
    free_dead_inodes();
    if (journal_) TRY(begin_transaction());
    if (fresh_.size() > kBatch || gone_.size() > kBatch || pending_blocks_.size() > kBatch ||
        directory_blocks_.size() > kBatch || table_blocks_.size() > kBatch)
        TRY(checkpoint_first());
    if (make_room().is_ok()) return {};
    // A long list is one piece of memory, and the free frames may lie apart: after a checkpoint the lists
    // are empty, with the room that they have.
    if (table_blocks_.empty() && directory_blocks_.empty() && index_blocks_.empty())
        return Errno::nomem;
    TRY(checkpoint_first());
    return make_room();
}

Result<void> Ext2::begin_operation() {
    LockGuard guard(lock_);
    return read_only() ? Result<void>(Errno::rofs) : begin();
}

Result<MetadataBlock> Ext2::fresh_metadata(uint32_t block) {
    const uint64_t position = uint64_t{block} << geometry_.block_shift;
    const auto index = static_cast<uint32_t>(position >> kPageShift);
    HeldPage page = geometry_.block_size() == kPageSize ? TRY(metadata_.page_to_overwrite(index))
                                                        : TRY(metadata_.page(index));
    MetadataBlock held{std::move(page), static_cast<uint32_t>(position) & kPageMask};
    __builtin_memset(held.bytes(), 0, geometry_.block_size());
    return held;
}

Ext2::PagePart Ext2::part_of(uint32_t block) const {
    const uint64_t position = uint64_t{block} << geometry_.block_shift;
    const uint32_t sectors = (1u << (geometry_.block_size() >> 9)) - 1;
    return {static_cast<uint32_t>(position >> kPageShift),
            static_cast<uint8_t>(sectors << ((position & kPageMask) >> 9))};
}

void Ext2::touch(uint32_t block, Kind kind) {
    const PagePart part = part_of(block);
    if (!metadata_.set_dirty(part.page, part.sectors)) return;
    Vector<uint32_t>& list = kind == Kind::index ? index_blocks_ : map_blocks_;
    if (list.push_back(block).is_error()) note_error();
}

void Ext2::forget(uint32_t block) {
    const PagePart part = part_of(block);
    metadata_.clear_dirty(part.page, part.sectors);
    if (journal_) journal_->revoke(block);
}

void Ext2::touch_directory(Ext2Inode& directory, uint32_t block, bool fresh) {
    if (directory_blocks_.push_back({Ref<Ext2Inode>(directory), block, fresh}).is_error())
        note_error();
}

bool Ext2::is_on_disk(const Ext2Inode& inode) const {
    return std::none_of(fresh_.begin(), fresh_.end(),
                        [&](const FreshInode& i) { return i.number == inode.number().raw(); });
}

void Ext2::directory_removed(Ext2Inode& victim) {
    if (journaled_ || !is_on_disk(victim)) return;
    if (gone_.push_back({victim.number().raw(), victim.record()}).is_error()) note_error();
}

Result<MetadataBlock> Ext2::metadata(uint32_t block) {
    if (!geometry_.is_data_range(block, 1)) return Errno::io;
    const uint64_t position = uint64_t{block} << geometry_.block_shift;
    HeldPage page = TRY(metadata_.page(static_cast<uint32_t>(position >> kPageShift)));
    return MetadataBlock{std::move(page), static_cast<uint32_t>(position) & kPageMask};
}

Result<void> Ext2::read_blocks(uint32_t first, uint32_t count, void* to) {
    if (!geometry_.is_data_range(first, count)) return Errno::io;
    const uint32_t shift = geometry_.block_shift - 9;  // sectors per block, log2
    return device_.read(Sector(uint64_t{first} << shift), count << shift, to);
}

Result<void> Ext2::write_blocks(uint32_t first, uint32_t count, const void* from) {
    if (!geometry_.is_data_range(first, count)) return Errno::io;
    const uint32_t shift = geometry_.block_shift - 9;
    return device_.write(Sector(uint64_t{first} << shift), count << shift, from);
}

Result<Ext2::HeldDescriptor> Ext2::descriptor(uint32_t group) {
    const Geometry& g = geometry_;
    const uint32_t at = group * sizeof(GroupDescriptor);
    const uint32_t block = g.descriptor_block(at >> g.block_shift);
    MetadataBlock held = TRY(metadata(block));
    auto* found = reinterpret_cast<GroupDescriptor*>(held.bytes() + (at & (g.block_size() - 1)));
    const uint32_t table_blocks = (g.inodes_per_group * g.inode_size) >> g.block_shift;
    if (!g.is_data_range(found->inode_table, table_blocks) ||
        !g.is_data_range(found->block_bitmap, 1) || !g.is_data_range(found->inode_bitmap, 1)) {
        log_error("ext2: {}: the descriptor of group {} is damaged", device_name(), group);
        return Errno::io;
    }
    return HeldDescriptor{std::move(held), found, block};
}

bool Ext2::is_for_contents(uint32_t first, uint32_t count) {
    const Geometry& g = geometry_;
    if (!g.is_data_range(first, count)) return false;
    if (first < g.descriptor_table + std::min(g.descriptor_blocks(), g.first_meta_group))
        return false;
    const uint32_t table_blocks = (g.inodes_per_group * g.inode_size) >> g.block_shift;
    const uint32_t last_group = (first + count - 1 - g.first_data_block) / g.blocks_per_group;
    for (uint32_t i = (first - g.first_data_block) / g.blocks_per_group; i <= last_group; ++i) {
        Result<HeldDescriptor> info = descriptor(i);
        if (info.is_error()) return false;
        const GroupDescriptor& d = *info.value().descriptor;
        auto hits = [&](uint32_t start, uint32_t length) {
            return start < first + count && first < start + length;
        };
        if (hits(d.block_bitmap, 1) || hits(d.inode_bitmap, 1) ||
            hits(d.inode_table, table_blocks) || hits(first_block_of_group(i), g.meta_head(i)))
            return false;
    }
    return true;
}

Result<Ext2::TableBlock> Ext2::table_block(InodeNo number, uint32_t& offset) {
    const Geometry& g = geometry_;
    const HeldDescriptor info = TRY(descriptor(group_of(number)));
    const uint32_t in_group = (number.raw() - 1) % g.inodes_per_group;
    const uint32_t position = in_group * g.inode_size;  // at most 8 * 4096 * 4096
    offset = position & (g.block_size() - 1);
    return TableBlock{info.descriptor->inode_table + (position >> g.block_shift),
                      number.raw() - offset / g.inode_size};
}

Result<InodeRecord> Ext2::inode_record(InodeNo number) {
    uint32_t offset;
    const TableBlock table = TRY(table_block(number, offset));
    MetadataBlock block = TRY(metadata(table.block));
    InodeRecord record;
    __builtin_memcpy(&record, block.bytes() + offset, sizeof record);
    return record;
}

Result<Ref<Inode>> Ext2::inode(InodeNo number) {
    if (number.raw() == 0 || number.raw() > geometry_.inodes_count) return Errno::io;
    if (Ref<CachedInode> known = find_inode(*this, number)) return known;
    Result<InodeRecord> record = inode_record(number);
    if (record.is_error()) {
        log_error("ext2: {}: inode {} cannot be read", device_name(), number);
        return record.error();
    }
    Ref<Ext2Inode> fresh = TRY(make_ref<Ext2Inode>(*this, number, record.value()));
    TRY(fresh->check());
    return insert_inode(std::move(fresh));
}

namespace {
constinit FileSystemType type{"ext2", true, Ext2::mount, nullptr};
constinit FileSystemType journaled_type{"ext3", true, Ext2::mount, nullptr, false};
}  // namespace

}  // namespace ext2

void ext2_init() {
    register_file_system(ext2::type);
    register_file_system(ext2::journaled_type);
    journal::trace_init();
}
