// See partition.hpp. A request is the disk's own, further on; the disk serialises and counts.
// A partition's cache and its disk's don't know of each other.
// Locks: none; partitions are made at start-up and stay.
#include "drivers/partition.hpp"

#include "drivers/block.hpp"
#include "drivers/mbr.hpp"
#include "kernel/lib/format.hpp"
#include "kernel/lib/log.hpp"
#include "kernel/lib/ref.hpp"

namespace {

class Partition final : public BlockDevice {
  public:
    Partition(std::string_view name, BlockDevice& disk, uint32_t number, uint64_t first,
              uint64_t sectors)
        : BlockDevice(name, disk.device_number() >> 8, (disk.device_number() & 0xFF) + number),
          disk_(disk),
          first_(first),
          sectors_(sectors) {}

    uint64_t sectors() const override { return sectors_; }
    bool read_only() const override { return disk_.read_only(); }
    bool is_partition() const override { return true; }
    Result<void> read(Sector first, uint32_t count, void* to) override {
        return disk_.read(TRY(place(first, count)), count, to);
    }
    Result<void> write(Sector first, uint32_t count, const void* from) override {
        return disk_.write(TRY(place(first, count)), count, from);
    }
    Result<void> flush() override { return disk_.flush(); }

  private:
    Result<Sector> place(Sector first, uint32_t count) const {
        if (first.raw() > sectors_ || count > sectors_ - first.raw()) return Errno::io;
        return Sector(first_ + first.raw());
    }

    BlockDevice& disk_;
    const uint64_t first_, sectors_;
};

void add(BlockDevice& disk, uint32_t number, uint64_t first, uint64_t sectors) {
    char name[16];
    auto made = make_box<Partition>(format_in(name, "{}{}", disk.name(), number), disk, number,
                                    first, sectors);
    if (made.is_error()) return log_error("{}: no memory for partition {}", disk.name(), number);
    log_info("{}: from sector {}, {} sectors", made.value()->name(), first, sectors);
    register_block_device(*made.value().leak());
}

void look_at(BlockDevice& disk) {
    auto* sector = new (std::nothrow) uint8_t[kSectorSize];
    if (!sector) return log_error("{}: no memory for its partition table", disk.name());
    mbr::for_each_partition(
        disk.sectors(), disk.most_partitions(),
        [&](uint64_t at) -> std::span<const uint8_t> {
            if (disk.read(Sector(at), 1, sector).is_error()) return {};
            return {sector, kSectorSize};
        },
        [&](uint32_t number, uint64_t first, uint64_t count, uint8_t) {
            add(disk, number, first, count);
        });
    delete[] sector;
}

}  // namespace

void partitions_init() {
    for (BlockDevice& disk : block_devices())  // those that are added have none themselves
        if (disk.most_partitions()) look_at(disk);
}
