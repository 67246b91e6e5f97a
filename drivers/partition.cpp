// See partition.hpp. A request is the disk's own, further on; the disk serialises and counts.
// A partition's cache and its disk's don't know of each other.
// Locks: none; partitions are made at start-up and stay.
#include "drivers/partition.hpp"

#include "drivers/disk_queue.hpp"
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
    Sector start() const override { return Sector(first_); }
    Result<void> submit(std::span<BlockIo> list) override {
        for (const BlockIo& io : list)
            if (io.sector > sectors_ || io.count > sectors_ - io.sector) return Errno::io;
        for (BlockIo& io : list) {
            io.sector += first_;
            io.partition = &use_;
        }
        return disk_.submit(list);
    }
    Result<void> flush() override { return disk_.flush(); }
    DiskCounts counts() override { return queue() ? queue()->counts_of(use_) : DiskCounts(); }
    DiskQueue* queue() override { return disk_.queue(); }

  private:
    BlockDevice& disk_;
    const uint64_t first_, sectors_;
    DiskUse use_;  // the queue's lock
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
