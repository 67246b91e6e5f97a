// Mounting ext2, and reading its metadata: see ext2.hpp.
#include <algorithm>

#include "fs/ext2/ext2.hpp"
#include "fs/mount.hpp"
#include "kernel/lib/log.hpp"

namespace ext2 {

namespace {

// A disk without the magic: what is it then?
Errno refuse_stranger(std::string_view name, const Superblock& super, PageCache& disk) {
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

void log_read_only(std::string_view name, const Superblock& super, uint32_t flags) {
    if (super.revision && (super.features_read_only & ~kKnownReadOnly)) {
        char names[120];
        BufferSink text(names);
        name_features(super.features_read_only, kKnownReadOnly, kReadOnlyNames, text);
        log_warning("ext2: {}: read-only because of features: {}", name, text.view());
    } else if (!(flags & kMountReadOnly)) {
        log_info("ext2: {}: mounted read-only: writing is not supported yet", name);
    }
}

}  // namespace

Result<Ref<FileSystem>> Ext2::mount(std::string_view source, uint32_t flags, std::string_view) {
    BlockDevice* device = find_block_device(source);
    if (!device) return refuse_mount(Errno::nxio, "ext2: no disk named {}", source);
    const uint64_t bytes = device->sectors() * kSectorSize;
    if (bytes < kSuperblockOffset + sizeof(Superblock))
        return refuse_mount(Errno::inval, "ext2: {}: the disk is too small ({} bytes)", source,
                            bytes);
    PageCache& disk = *TRY(device_cache(*device));
    Result<HeldPage> start = disk.page(0);
    if (start.is_error())
        return refuse_mount(start.error(), "ext2: {}: the superblock cannot be read", source);
    const auto& super =
        *reinterpret_cast<const Superblock*>(start.value().data() + kSuperblockOffset);
    if (super.magic != kMagic) return refuse_stranger(source, super, disk);
    char reason_buffer[160];
    BufferSink reason(reason_buffer);
    Result<Geometry> geometry = check_superblock(super, bytes, reason);
    if (geometry.is_error())
        return refuse_mount(geometry.error(), "ext2: {}: {}", source, reason.view());
    Ref<Ext2> fs = TRY(make_ref<Ext2>(*device, disk, geometry.value(), super));
    Result<Ref<Inode>> root = fs->inode(InodeNo(kRootInode));
    if (root.is_error() || !root.value()->attributes().is_directory())
        return refuse_mount(Errno::inval, "ext2: {}: the root directory is damaged", source);
    fs->root_ = root.release_value();
    log_read_only(source, super, flags);
    return fs;
}

Ext2::Ext2(BlockDevice& device, PageCache& metadata, const Geometry& geometry,
           const Superblock& super)
    : device_(device),
      metadata_(metadata),
      geometry_(geometry),
      free_blocks_(super.free_blocks_count),
      free_inodes_(super.free_inodes_count) {}

void Ext2::unmounted() {
    root_ = nullptr;
    forget_inodes(*this);
}

FileSystemStatistics Ext2::statistics() {
    FileSystemStatistics s;
    s.type = kMagic;
    s.block_size = geometry_.block_size();
    s.blocks = geometry_.blocks_count - geometry_.overhead;
    s.free_blocks = std::min<uint64_t>(free_blocks_, s.blocks);
    s.files = geometry_.inodes_count;
    s.free_files = std::min(free_inodes_, geometry_.inodes_count);
    return s;
}

Result<Ext2::MetadataBlock> Ext2::metadata(uint32_t block) {
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

Result<InodeRecord> Ext2::inode_record(InodeNo number) {
    const Geometry& g = geometry_;
    const uint32_t group = (number.raw() - 1) / g.inodes_per_group;
    const uint32_t in_group = (number.raw() - 1) % g.inodes_per_group;
    const uint32_t descriptor = group * sizeof(GroupDescriptor);
    GroupDescriptor found;
    {
        MetadataBlock block = TRY(metadata(g.descriptor_table + (descriptor >> g.block_shift)));
        __builtin_memcpy(&found, block.bytes() + (descriptor & (g.block_size() - 1)), sizeof found);
    }
    const uint32_t position = in_group * g.inode_size;  // at most 8 * 4096 * 4096
    if (!g.is_data_range(found.inode_table, (position >> g.block_shift) + 1)) return Errno::io;
    MetadataBlock block = TRY(metadata(found.inode_table + (position >> g.block_shift)));
    InodeRecord record;
    __builtin_memcpy(&record, block.bytes() + (position & (g.block_size() - 1)), sizeof record);
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
}

}  // namespace ext2

void ext2_init() { register_file_system(ext2::type); }
