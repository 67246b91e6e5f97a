// Where a file's blocks lie, for programs that ask: FIBMAP for one block, FIEMAP for all.
// Spec: Linux, Documentation/filesystems/fiemap.rst; ioctl numbers and structures of i386.
#include <algorithm>

#include "fs/ext2/ext2.hpp"
#include "fs/ext2/file_map.hpp"
#include "kernel/arch/user_access.hpp"

namespace ext2 {

namespace {

constexpr uint32_t kSyncFirst = 1;  // FIEMAP_FLAG_SYNC; others are not known
constexpr uint32_t kLastExtent = 1;

struct MapHeader {  // struct fiemap
    uint64_t start, length;
    uint32_t flags, mapped, room, reserved;
};
struct MapExtent {  // struct fiemap_extent
    uint64_t logical, physical, length, reserved[2];
    uint32_t flags, reserved2[3];
};
static_assert(sizeof(MapHeader) == 32 && sizeof(MapExtent) == 56);

// Extents between `from` and `end` (blocks), merged as far as they go.
class ExtentWriter {
  public:
    ExtentWriter(uint32_t to, uint32_t room, uint32_t shift)
        : to_(to), room_(room), shift_(shift) {}
    uint32_t count() const { return count_; }
    bool full() const { return room_ && count_ == room_; }
    // The one before is complete now. Nothing is written if there is no room at all: it is counted.
    Result<void> add(uint32_t block, const Ext2Inode::Run& run) {
        if (length_ && block == logical_ + length_ && run.first == physical_ + length_) {
            length_ += run.count;
            return {};
        }
        TRY(flush(0));
        if (full()) return {};
        logical_ = block;
        physical_ = run.first;
        length_ = run.count;
        return {};
    }
    Result<void> flush(uint32_t flags) {
        if (!length_ || full()) return {};
        if (room_) {
            MapExtent extent{};
            extent.logical = uint64_t{logical_} << shift_;
            extent.physical = uint64_t{physical_} << shift_;
            extent.length = uint64_t{length_} << shift_;
            extent.flags = flags;
            TRY(write_user(UserPtr<MapExtent>(to_ + count_ * sizeof(MapExtent)), extent));
        }
        ++count_;
        length_ = 0;
        return {};
    }

  private:
    uint32_t to_, room_, shift_;
    uint32_t count_ = 0, logical_ = 0, physical_ = 0, length_ = 0;
};

Result<int32_t> list_extents(Ext2Inode& file, uint32_t argument) {
    const UserPtr<MapHeader> user(argument);
    MapHeader header = TRY(read_user(user));
    constexpr uint32_t kMostExtents = UINT32_MAX / sizeof(MapExtent);
    if (header.room > kMostExtents || header.length == 0) return Errno::inval;
    if (header.flags & ~kSyncFirst) {
        header.flags &= ~kSyncFirst;
        TRY(write_user(user, header));
        return Errno::badr;
    }
    const Geometry& geometry = static_cast<Ext2&>(file.file_system()).geometry();
    const uint32_t shift = geometry.block_shift;
    const uint64_t size = file.attributes().size, limit = uint64_t{UINT32_MAX} << shift;
    if (header.start >= limit) return Errno::fbig;
    if (header.flags & kSyncFirst) TRY(file.sync(true));
    const uint64_t last = std::min(size, limit);
    const uint64_t end =
        header.length < last - std::min(last, header.start) ? header.start + header.length : last;
    ExtentWriter writer(argument + sizeof(MapHeader), header.room, shift);
    auto block = static_cast<uint32_t>(header.start >> shift);
    const auto end_block = static_cast<uint32_t>((end + (1u << shift) - 1) >> shift);
    while (block < end_block && !writer.full()) {
        const Ext2Inode::Run run = TRY(file.map(block, end_block - block));
        if (run.first) TRY(writer.add(block, run));
        block += std::max(run.count, 1u);
    }
    TRY(writer.flush(end == last ? kLastExtent : 0));
    header.mapped = writer.count();
    TRY(write_user(user, header));
    return 0;
}

Result<int32_t> find_block(Ext2Inode& file, uint32_t argument) {
    const UserPtr<int32_t> user(argument);
    const int32_t block = TRY(read_user(user));
    if (block < 0) return Errno::inval;
    const Ext2Inode::Run run = TRY(file.map(static_cast<uint32_t>(block), 1));
    TRY(write_user(user, static_cast<int32_t>(run.first)));
    return 0;
}

}  // namespace

Result<int32_t> map_ioctl(Ext2Inode& file, uint32_t request, uint32_t argument) {
    constexpr uint32_t kFindBlock = 1, kBlockSize = 2, kListExtents = 0xC020660B;
    switch (request) {
        case kFindBlock: return find_block(file, argument);
        case kBlockSize:
            TRY(write_user(UserPtr<int32_t>(argument),
                           static_cast<int32_t>(file.attributes().block_size)));
            return 0;
        case kListExtents: return list_extents(file, argument);
    }
    return Errno::notty;
}

}  // namespace ext2
