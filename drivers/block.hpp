// Block devices: disks by name ("hda", "ram0"), read and written in sectors of 512 bytes.
// Locks: the registry is filled at start-up only; each driver serialises its own device.
#pragma once

#include <string_view>

#include "kernel/lib/list.hpp"
#include "kernel/lib/result.hpp"
#include "kernel/lib/types.hpp"

constexpr uint32_t kSectorSize = 512;

// What a disk did since the machine was switched on. Of a controller's two disks `travel` is the
// same number: the way of the elevator's head over both, in sectors.
struct DiskCounts {
    struct Direction {
        uint64_t requests = 0, sectors = 0;
        uint64_t nanoseconds = 0;  // from arrival to completion, summed over requests
    };
    Direction reads, writes;
    uint64_t failed = 0, travel = 0;
    uint64_t busy_nanoseconds = 0;
    uint32_t in_flight = 0;
};

class BlockDevice {
  public:
    BlockDevice(std::string_view name, uint32_t major, uint32_t minor);
    virtual ~BlockDevice() = default;

    std::string_view name() const { return name_; }
    uint32_t device_number() const { return device_number_; }  // major << 8 | minor
    virtual uint64_t sectors() const = 0;
    virtual bool read_only() const { return false; }
    virtual bool is_partition() const { return false; }
    virtual uint32_t most_partitions() const { return 0; }  // numbers kept free behind its own

    // Whole sectors between the device and kernel memory in the direct map. Sleeps.
    // Errors: EIO (also a range beyond the end), EROFS.
    virtual Result<void> read(Sector first, uint32_t count, void* to) = 0;
    virtual Result<void> write(Sector first, uint32_t count, const void* from) = 0;
    virtual Result<void> flush() { return {}; }
    virtual DiskCounts counts() { return {}; }

    ListNode node;

  private:
    char name_[16] = {};
    uint32_t device_number_;
};

void register_block_device(BlockDevice& device);
BlockDevice* find_block_device(std::string_view name);  // without "/dev/"; null if there is none
using BlockDevices = List<BlockDevice, &BlockDevice::node>;
BlockDevices& block_devices();
