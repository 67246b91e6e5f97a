// See devices.hpp. A disk opened as a file is read through the cache that file systems on it use.
// Writing goes to the disk at once; while a file system or swap lives on it, nobody else may.
#include "fs/devices.hpp"

#include <algorithm>

#include "drivers/block.hpp"
#include "fs/mount.hpp"
#include "mm/swap.hpp"

namespace {

constinit CharacterDevice* characters = nullptr;

// Spec: linux/fs.h.
constexpr uint32_t kSetReadOnly = 0x125D, kGetReadOnly = 0x125E, kGetSectors = 0x1260,
                   kFlushBuffers = 0x1261, kSetReadAhead = 0x1262, kGetReadAhead = 0x1263,
                   kGetSectorSize = 0x1268, kGetBytes = 0x80041272;

class DiskFile final : public CachedFile {
  public:
    DiskFile(uint32_t flags, Inode& node, BlockDevice& device, PageCache& cache)
        : CachedFile(flags, node, cache), device_(device), pages_(cache) {
        device_.opened();
    }
    ~DiskFile() override { device_.closed(); }
    Result<uint32_t> write_at(ByteSource& from, uint64_t offset) override;
    Result<uint32_t> append(ByteSource& from, uint64_t& offset) override {
        return write_at(from, offset = end_offset());
    }
    Result<void> sync(bool contents) override {
        TRY(CachedFile::sync(contents));
        return device_.flush();
    }
    Result<void> truncate(uint64_t) override { return Errno::inval; }
    Result<Ref<Pager>> pager() override { return Errno::nodev; }
    Result<int32_t> ioctl(uint32_t request, uint32_t argument) override;

  private:
    Result<uint32_t> write_piece(ByteSource& from, uint64_t offset, uint32_t bytes);

    BlockDevice& device_;
    PageCache& pages_;
};

Result<int32_t> DiskFile::ioctl(uint32_t request, uint32_t argument) {
    auto give = [&](auto value) -> Result<int32_t> {
        TRY(write_user(UserPtr<decltype(value)>(argument), value));
        return 0;
    };
    const bool administrator = is_for_superuser();
    switch (request) {
        case kSetReadOnly: {
            if (!administrator) return Errno::acces;
            const uint32_t wanted = TRY(read_user(UserPtr<const uint32_t>(argument)));
            device_.write_protected.store_relaxed(wanted != 0);
            return 0;
        }
        case kGetReadOnly: return give(uint32_t{device_.refuses_writes()});
        case kGetSectors: return give(static_cast<uint32_t>(device_.sectors()));
        case kGetSectorSize: return give(device_.logical_block_size());
        case kGetBytes: return give(device_.sectors() * kSectorSize);
        // The one that holds for all disks, in sectors.
        case kSetReadAhead:
            if (!administrator) return Errno::acces;
            TRY(set_read_ahead_kib(argument / 2));
            return 0;
        case kGetReadAhead: return give(read_ahead_kib() * 2);
        case kFlushBuffers:
            if (!administrator) return Errno::acces;
            TRY(device_.flush());
            return 0;
        default: return device_.control(request, argument, writable());
    }
}

// Within a page. What the program couldn't give isn't written, what it gave before is.
Result<uint32_t> DiskFile::write_piece(ByteSource& from, uint64_t offset, uint32_t bytes) {
    const auto index = static_cast<uint32_t>(offset >> kPageShift);
    const uint32_t start = static_cast<uint32_t>(offset) & kPageMask;
    const HeldPage page =
        TRY(bytes == kPageSize ? pages_.page_to_overwrite(index) : pages_.page(index));
    const uint32_t done = from.take(page.data() + start, bytes);
    if (!done) return Errno::fault;
    const uint32_t first = start / kSectorSize, end = (start + done - 1) / kSectorSize + 1;
    const Sector sector((uint64_t{index} << kPageShift) / kSectorSize + first);
    Result<void> written = device_.write(sector, end - first, page.data() + first * kSectorSize);
    if (written.is_error()) pages_.note_write_error(written.error());
    if (written.is_error()) return written.error();
    own_io_counts().bytes_written += (end - first) * kSectorSize;
    return done;
}

Result<uint32_t> DiskFile::write_at(ByteSource& from, uint64_t offset) {
    if (device_.refuses_writes()) return Errno::perm;
    const uint64_t end = end_offset();
    uint32_t total = 0;
    const bool direct = flags() & kOpenDirect;
    if (direct) TRY(check_direct(offset, from.alignment()));
    if (from.remaining() && offset >= end) return Errno::nospc;
    while (from.remaining() && offset < end) {
        const uint32_t room = kPageSize - (static_cast<uint32_t>(offset) & kPageMask);
        const auto left = static_cast<uint32_t>(std::min<uint64_t>(from.remaining(), end - offset));
        const bool whole = direct && room == kPageSize && left >= kPageSize;
        const uint32_t bytes = whole ? align_down(left, kPageSize) : std::min(left, room);
        Result<uint32_t> done =
            whole ? pages_.write_past(from, offset, bytes) : write_piece(from, offset, bytes);
        if (done.value_or(0) == 0 && total) break;
        if (done.is_error()) return done.error();
        if (!done.value()) return Errno::fault;
        total += done.value();
        offset += done.value();
        if (!whole && done.value() < bytes) break;
    }
    return total;
}

Result<void> check_writable(BlockDevice& device) {
    if (device.refuses_writes()) return Errno::rofs;
    const uint32_t number = device.device_number();
    if (is_mounted(number, number + device.most_partitions()) || is_swap_area(device))
        return Errno::busy;
    return {};
}

Result<Ref<File>> open_disk(Inode& node, uint32_t number, uint32_t flags) {
    for (BlockDevice& device : block_devices()) {
        if (device.device_number() != number) continue;
        TRY(device.prepare());
        if ((flags & kOpenAccessMode) != kOpenReadOnly) TRY(check_writable(device));
        PageCache* cache = TRY(device_cache(device));
        return TRY(make_ref<DiskFile>(flags, node, device, *cache));
    }
    return Errno::nxio;
}

}  // namespace

void register_character_device(CharacterDevice& device) {
    device.next = characters;
    characters = &device;
}

Result<Ref<File>> open_device(Inode& node, uint32_t flags) {
    Attributes attributes = node.attributes();
    uint32_t number = attributes.special_device;
    if ((attributes.mode & kTypeMask) == kTypeBlock) return open_disk(node, number, flags);
    uint32_t major = device_major(number), minor = device_minor(number);
    for (CharacterDevice* device = characters; device; device = device->next)
        if (device->major == major && minor - device->first_minor < device->count)
            return device->open(node, minor, flags);
    return Errno::nxio;
}
