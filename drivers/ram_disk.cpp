// See ram_disk.hpp. A transfer is a copy.
#include "drivers/ram_disk.hpp"

#include "drivers/disk_queue.hpp"
#include "kernel/arch/memory_layout.hpp"
#include "kernel/lib/format.hpp"
#include "kernel/lib/log.hpp"
#include "kernel/lib/ref.hpp"
#include "kernel/sched/clock.hpp"
#include "kernel/sched/thread.hpp"

namespace {

constexpr uint32_t kMajor = 1;

class RamDisk final : public BlockDevice, private DiskServer {
  public:
    RamDisk(std::string_view name, uint32_t minor, uint8_t* memory, uint32_t sectors)
        : BlockDevice(name, kMajor, minor), memory_(memory), sectors_(sectors) {
        queue_.set_size(sectors);
    }

    uint64_t sectors() const override { return sectors_; }
    Result<void> read(Sector first, uint32_t count, void* to) override {
        if (ram_disk_delay.relaxed()) return BlockDevice::read(first, count, to);
        return copy(BlockIo::Kind::read, first, count, static_cast<uint8_t*>(to));
    }
    Result<void> write(Sector first, uint32_t count, const void* from) override {
        if (ram_disk_delay.relaxed()) return BlockDevice::write(first, count, from);
        auto* memory = static_cast<uint8_t*>(const_cast<void*>(from));  // which is only read
        return copy(BlockIo::Kind::write, first, count, memory);
    }
    Result<void> submit(std::span<BlockIo> list) override {
        return ram_disk_delay.relaxed() ? queue_.run(list) : BlockDevice::submit(list);
    }
    DiskQueue* queue() override { return ram_disk_delay.relaxed() ? &queue_ : nullptr; }
    DiskCounts counts() override { return queue_.counts(); }

  private:
    Result<void> copy(BlockIo::Kind kind, Sector first, uint32_t count, uint8_t* memory) {
        if (first.raw() > sectors_ || count > sectors_ - first.raw()) return Errno::io;
        uint8_t* place = memory_ + static_cast<uint32_t>(first.raw()) * kSectorSize;
        const bool reads = kind == BlockIo::Kind::read;
        __builtin_memcpy(reads ? memory : place, reads ? place : memory, count * kSectorSize);
        if (reads && !ram_disk_delay.relaxed()) own_io_counts().bytes_read += count * kSectorSize;
        return {};
    }
    void serve(const DiskRun& run) override {
        for (BlockIo& io : run.members) {
            Sector at(io.sector);
            for (const MemoryPiece& piece : io.memory) {
                const Result<void> done = copy(io.kind, at, piece.sectors, piece.start);
                if (done.is_error()) io.failure = done.error();
                at = at + piece.sectors;
            }
        }
        const Nanoseconds end(monotonic_now().raw() + ram_disk_delay.relaxed() * 1000ull);
        while (monotonic_now() < end)
            park({.interruptible = false, .deadline = end, .reason = "disk"});
    }

    uint8_t* memory_;
    uint32_t sectors_;
    DiskQueue queue_{*this, device_number()};
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
