// A CD-ROM drive as a block device that is read only. Its blocks have 2 KiB; a request that begins or
// ends within one is served by way of a buffer. The medium may come and go: prepare() finds out what
// is there.
// Locks: the queue's, the controller's; what is known of the medium is atomic.
// Spec: see atapi.hpp.
#pragma once

#include "drivers/ata_drive.hpp"
#include "drivers/disk_queue.hpp"

class CdDrive final : public BlockDevice, private DiskServer {
  public:
    CdDrive(std::string_view name, uint32_t major, uint32_t minor, AtaController& controller,
            uint32_t which)
        : BlockDevice(name, major, minor), controller_(controller), which_(which) {}

    uint64_t sectors() const override { return uint64_t{blocks()} * kSectorsPerBlock; }
    bool read_only() const override { return true; }
    bool removable() const override { return true; }
    uint32_t medium() const override { return medium_.relaxed(); }
    Result<void> prepare() override { return prepare(kPatience); }
    // Asks so often whether a drive that is getting ready is so, ten times a second.
    Result<void> prepare(uint32_t patience);

    Result<void> read(Sector first, uint32_t count, void* to) override;
    Result<void> write(Sector, uint32_t, const void*) override { return Errno::rofs; }
    DiskCounts counts() override { return queue_.counts(); }
    DiskQueue* queue() override { return &queue_; }

  private:
    static constexpr uint32_t kSectorsPerBlock = atapi::kBlockBytes / kSectorSize;
    static constexpr uint32_t kPatience = 100;

    uint32_t blocks() const { return blocks_.relaxed(); }
    void serve(const DiskRun& run) override;
    Result<void> read_piece(uint64_t sector, const MemoryPiece& piece);
    Result<void> read_blocks(uint64_t sector, uint32_t count, uint8_t* to);
    Result<void> read_part(uint64_t sector, uint32_t count, uint8_t* to);
    Result<void> read_capacity();
    bool perform(const atapi::Packet& packet, uint8_t* to, uint32_t bytes, atapi::Sense& sense);
    void use_medium(uint32_t blocks);

    AtaController& controller_;
    const uint32_t which_;
    Atomic<uint32_t> blocks_ = 0, medium_ = 0;
    DiskQueue queue_{*this, device_number()};
};
