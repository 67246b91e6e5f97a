// See ram_disk.hpp. A transfer is a copy.
#include "drivers/ram_disk.hpp"

#include "drivers/block.hpp"
#include "kernel/arch/memory_layout.hpp"
#include "kernel/lib/format.hpp"
#include "kernel/lib/log.hpp"
#include "kernel/lib/ref.hpp"

namespace {

constexpr uint32_t kMajor = 1;

class RamDisk final : public BlockDevice {
  public:
    RamDisk(std::string_view name, uint32_t minor, uint8_t* memory, uint32_t sectors)
        : BlockDevice(name, kMajor, minor), memory_(memory), sectors_(sectors) {}

    uint64_t sectors() const override { return sectors_; }
    Result<void> read(Sector first, uint32_t count, void* to) override {
        __builtin_memcpy(to, TRY(place(first, count)), count * kSectorSize);
        return {};
    }
    Result<void> write(Sector first, uint32_t count, const void* from) override {
        __builtin_memcpy(TRY(place(first, count)), from, count * kSectorSize);
        return {};
    }

  private:
    Result<uint8_t*> place(Sector first, uint32_t count) const {
        if (first.raw() > sectors_ || count > sectors_ - first.raw()) return Errno::io;
        return memory_ + static_cast<uint32_t>(first.raw()) * kSectorSize;
    }

    uint8_t* memory_;
    uint32_t sectors_;
};

constinit uint32_t ram_disk_count = 0;

}  // namespace

void ram_disk_add(PhysAddr start, uint32_t bytes) {
    if (start.raw() >= kDirectMapLimit || bytes > kDirectMapLimit - start.raw()) {
        log_error("ram{}: memory at 0x{:x} lies above the direct map; ignored", ram_disk_count,
                  start);
        return;
    }
    char name[16];
    auto disk = make_box<RamDisk>(format_in(name, "ram{}", ram_disk_count), ram_disk_count,
                                  static_cast<uint8_t*>(to_virtual(start)), bytes / kSectorSize);
    if (disk.is_error()) return log_error("ram{}: no memory", ram_disk_count);
    ++ram_disk_count;
    RamDisk& device = *disk.value().leak();  // lives forever
    register_block_device(device);
    log_info("{}: {} sectors of 512 bytes", device.name(), device.sectors());
}
