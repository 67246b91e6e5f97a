// The page cache of each disk: made at the first request, and kept.
#include <algorithm>

#include "drivers/block.hpp"
#include "fs/page_cache.hpp"

namespace {

class DiskPages final : public RefCounted, public PageSource {
  public:
    explicit DiskPages(BlockDevice& disk) : device(disk), medium(disk.medium()) {
        cache.set_size(disk.sectors() * kSectorSize);
    }
    // Pages of the medium before are forgotten, and those behind its end.
    Result<void> follow_medium() {
        const uint32_t now = device.medium();
        const uint64_t bytes = device.sectors() * kSectorSize;
        if (medium == now && cache.size() == bytes) return {};
        TRY(cache.truncate(medium == now ? std::min(bytes, cache.size()) : 0));
        medium = now;
        cache.set_size(bytes);
        return {};
    }
    Result<void> fill_pages(uint32_t first, uint32_t count, void* to) override {
        constexpr uint32_t kSectorsPerPage = kPageSize / kSectorSize;
        uint64_t start = uint64_t{first} * kSectorsPerPage;
        uint64_t left = device.sectors() - start;
        auto wanted = static_cast<uint32_t>(std::min<uint64_t>(left, count * kSectorsPerPage));
        return device.read(Sector(start), wanted, to);
    }

    Result<void> write_pages(uint32_t first, std::span<uint8_t* const> pages) override {
        constexpr uint32_t kSectorsPerPage = kPageSize / kSectorSize;
        for (uint8_t* page : pages)
            TRY(device.write(Sector(uint64_t{first++} * kSectorsPerPage), kSectorsPerPage, page));
        return {};
    }

    BlockDevice& device;
    uint32_t medium;
    // File systems write what they change here, in an order of their own.
    PageCache cache{*this, this, nullptr, WriteBack::by_owner};
    DiskPages* next = nullptr;
};

constinit Mutex cache_lock{LockRank::page_cache_fill};
constinit DiskPages* disks GUARDED_BY(cache_lock) = nullptr;

Result<DiskPages*> pages_of(BlockDevice& device) {
    LockGuard guard(cache_lock);
    for (DiskPages* disk = disks; disk; disk = disk->next)
        if (&disk->device == &device) return disk;
    Ref<DiskPages> disk = TRY(make_ref<DiskPages>(device));
    disk->next = disks;
    return disks = disk.leak();
}

}  // namespace

Result<PageCache*> device_cache(BlockDevice& device) {
    DiskPages* const disk = TRY(pages_of(device));
    TRY(disk->follow_medium());
    return &disk->cache;
}
