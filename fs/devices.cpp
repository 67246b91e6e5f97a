// See devices.hpp. A disk opened as a file is read through the cache that file systems on it use.
#include "fs/devices.hpp"

#include "drivers/block.hpp"

namespace {

constinit CharacterDevice* characters = nullptr;

// Spec: linux/fs.h.
constexpr uint32_t kGetSectors = 0x1260, kFlushBuffers = 0x1261, kGetSectorSize = 0x1268,
                   kGetBytes = 0x80041272;

class DiskFile final : public CachedFile {
  public:
    DiskFile(uint32_t flags, Inode& node, BlockDevice& device, PageCache& cache)
        : CachedFile(flags, node, cache), device_(device) {}
    Result<uint32_t> write_at(ByteSource&, uint64_t) override { return Errno::rofs; }
    Result<uint32_t> append(ByteSource&, uint64_t&) override { return Errno::rofs; }
    Result<void> truncate(uint64_t) override { return Errno::inval; }
    Result<Ref<Pager>> pager() override { return Errno::nodev; }
    Result<int32_t> ioctl(uint32_t request, uint32_t argument) override {
        auto sectors = static_cast<uint32_t>(device_.sectors());
        switch (request) {
            case kGetSectors: TRY(write_user(UserPtr<uint32_t>(argument), sectors)); return 0;
            case kGetSectorSize:
                TRY(write_user(UserPtr<uint32_t>(argument), kSectorSize));
                return 0;
            case kGetBytes:
                TRY(write_user(UserPtr<uint64_t>(argument), device_.sectors() * kSectorSize));
                return 0;
            case kFlushBuffers: return 0;
            default: return Errno::notty;
        }
    }

  private:
    BlockDevice& device_;
};

Result<Ref<File>> open_disk(Inode& node, uint32_t number, uint32_t flags) {
    for (BlockDevice& device : block_devices()) {
        if (device.device_number() != number) continue;
        if ((flags & kOpenAccessMode) != kOpenReadOnly) return Errno::rofs;
        TRY(device.prepare());
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
