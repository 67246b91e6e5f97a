// A file of ext2: attributes, contents through the block map, symbolic links. See ext2.hpp.
#include <algorithm>

#include "fs/cached_file.hpp"
#include "fs/ext2/block_map.hpp"
#include "fs/ext2/ext2.hpp"
#include "kernel/lib/log.hpp"

namespace ext2 {

namespace {

constexpr uint32_t kFlagCompressed = 0x200, kFlagExtents = 0x80000, kFlagInlineData = 0x10000000;
constexpr uint64_t kMaxSize = uint64_t{1} << 44;  // what page indices reach

Timestamp at_second(uint32_t seconds) { return {static_cast<int32_t>(seconds), 0}; }

}  // namespace

Ext2Inode::Ext2Inode(Ext2& file_system, InodeNo number, const InodeRecord& record)
    : CachedInode(file_system, number), record_(record), cache_(*this, this, this) {
    cache_.set_size(std::min(size(), kMaxSize));
}

Ext2& Ext2Inode::ext2() const { return static_cast<Ext2&>(file_system()); }

uint64_t Ext2Inode::size() const {
    return record_.size_low | (type() == kTypeRegular ? uint64_t{record_.size_high} << 32 : 0);
}

Errno Ext2Inode::damaged(std::string_view what) {
    if (!std::exchange(reported_, true))
        log_error("ext2: {}: inode {}: {}", ext2().device_name(), number(), what);
    return Errno::io;
}

Result<void> Ext2Inode::check() const {
    auto& self = const_cast<Ext2Inode&>(*this);
    if (record_.links_count == 0 || record_.mode == 0) return self.damaged("not in use");
    if (record_.flags & (kFlagCompressed | kFlagExtents | kFlagInlineData))
        return self.damaged("unknown kind of block map");
    switch (type()) {
        case kTypeRegular:
            if (size() > kMaxSize) return self.damaged("bad size");
            return {};
        case kTypeDirectory: return {};
        case kTypeSymlink:
            if (size() == 0 || size() >= (is_fast_symlink() ? sizeof record_.block : kPageSize))
                return self.damaged("bad size of a symbolic link");
            return {};
        case kTypeCharacter:
        case kTypeBlock:
        case kTypeFifo:
        case kTypeSocket: return {};
        default: return self.damaged("unknown type");
    }
}

// The target is in the inode when no block is in use but the one for extended attributes.
bool Ext2Inode::is_fast_symlink() const {
    uint32_t attributes = record_.attribute_block ? ext2().geometry().block_size() >> 9 : 0;
    return record_.blocks512 == attributes;
}

Attributes Ext2Inode::attributes() {
    Attributes a;
    a.mode = record_.mode;
    a.uid = uid();
    a.gid = gid();
    a.links = record_.links_count;
    a.size = size();
    a.blocks512 = record_.blocks512;
    a.block_size = ext2().geometry().block_size();
    a.device = ext2().device_number();
    if (type() == kTypeCharacter || type() == kTypeBlock) {
        const uint32_t old = record_.block[0];  // 8 bits each; else the new encoding
        a.special_device = old ? ::device_number(old >> 8 & 0xff, old & 0xff) : record_.block[1];
    }
    a.inode = number();
    a.accessed = at_second(record_.access_time);
    a.modified = at_second(record_.modification_time);
    a.changed = at_second(record_.change_time);
    return a;
}

Result<Ref<File>> Ext2Inode::open(uint32_t flags) {
    if (type() == kTypeRegular) return TRY(make_ref<CachedFile>(flags, *this, cache_));
    if (type() == kTypeDirectory) return TRY(make_ref<DirectoryFile>(flags, *this));
    return Errno::inval;
}

Result<uint32_t> Ext2Inode::read_link(std::span<char> buffer) {
    if (type() != kTypeSymlink) return Errno::inval;
    const auto length = static_cast<uint32_t>(std::min<uint64_t>(size(), buffer.size()));
    if (is_fast_symlink()) {
        __builtin_memcpy(buffer.data(), record_.block, length);
        return length;
    }
    KernelSink sink({reinterpret_cast<uint8_t*>(buffer.data()), length});
    return cache_.read_at(sink, 0);
}

Result<Ext2Inode::Run> Ext2Inode::map(uint32_t block, uint32_t most) {
    const std::optional<BlockPath> path = block_path(block, ext2().geometry().pointer_bits());
    if (!path) return damaged("larger than its block map");
    const uint32_t* pointers = record_.block;
    std::optional<Ext2::MetadataBlock> held;
    most = std::min(most, path->left);
    for (uint32_t level = 0; level < path->levels; ++level) {
        const uint32_t next = pointers[path->index[level]];
        if (next == 0) return Run{0, most};
        if (!ext2().geometry().is_data_range(next, 1)) return damaged("bad index block");
        Ext2::MetadataBlock loaded = TRY(ext2().metadata(next));
        held.reset();
        held.emplace(std::move(loaded));
        pointers = reinterpret_cast<const uint32_t*>(held->bytes());
    }
    pointers += path->index[path->levels];
    Run run{pointers[0], 1};
    while (run.count < most && pointers[run.count] == (run.first ? run.first + run.count : 0))
        ++run.count;
    if (run.first && !ext2().geometry().is_data_range(run.first, run.count))
        return damaged("bad block number");
    return run;
}

// Blocks that lie side by side on the disk are read with one request.
Result<void> Ext2Inode::fill_pages(uint32_t first, uint32_t count, void* to) {
    const uint32_t shift = ext2().geometry().block_shift;
    const uint64_t start = uint64_t{first} << kPageShift;
    const uint64_t end = std::min(start + (uint64_t{count} << kPageShift), size());
    auto block = static_cast<uint32_t>(start >> shift);
    auto left = static_cast<uint32_t>((end + (1u << shift) - 1) >> shift) - block;
    auto* at = static_cast<uint8_t*>(to);
    while (left) {
        const Run run = TRY(map(block, left));
        if (run.first)
            TRY(ext2().read_blocks(run.first, run.count, at));
        else
            __builtin_memset(at, 0, run.count << shift);
        block += run.count;
        left -= run.count;
        at += run.count << shift;
    }
    return {};
}

}  // namespace ext2
