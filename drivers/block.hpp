// Block devices: disks by name ("hda", "ram0"), read and written in sectors of 512 bytes.
// A transfer is a BlockIo: sectors side by side on the disk, memory in pieces. A caller that has several
// hands them over at once (submit), so that the disk may choose their order and join neighbours.
// Locks: none: the registry only grows, by one driver at a time; each serialises its own device.
#pragma once

#include <span>
#include <string_view>

#include "drivers/disk_counts.hpp"
#include "drivers/elevators/elevator.hpp"
#include "kernel/lib/atomic.hpp"
#include "kernel/lib/list.hpp"
#include "kernel/lib/result.hpp"
#include "kernel/lib/types.hpp"

constexpr uint32_t kSectorSize = 512;

struct MemoryPiece {
    uint8_t* start;  // in the direct map
    uint32_t sectors;
};

class DiskQueue;
struct IoSubmission;
struct BlockIo : DiskRequest {  // `count` is kMostSectors at most
    enum class Kind : uint8_t { read, write, flush };
    BlockIo() = default;
    explicit BlockIo(Kind what, uint64_t first = 0, uint32_t sectors = 0,
                     std::span<const MemoryPiece> pieces = {})
        : DiskRequest(first, sectors), kind(what), memory(pieces) {}

    Kind kind = Kind::read;
    std::span<const MemoryPiece> memory{};
    Errno failure{};  // 0: it went well
    // The queue's own (disk_queue.hpp):
    DiskUse* partition = nullptr;  // counted there too
    IoSubmission* submission = nullptr;
    uint64_t entered = 0;  // nanoseconds, as the deadline
    ListNode node{};
};
constexpr uint32_t kMostSectors = 256;  // of one BlockIo, and of one command
constexpr uint32_t kMostPieces = 64;    // of memory, likewise

class BlockDevice {
  public:
    BlockDevice(std::string_view name, uint32_t major, uint32_t minor);
    virtual ~BlockDevice() = default;

    std::string_view name() const { return name_; }
    uint32_t device_number() const { return device_number_; }  // major << 8 | minor
    virtual uint64_t sectors() const = 0;
    virtual bool read_only() const { return false; }
    // It is, or BLKROSET has said so: nobody may write.
    bool refuses_writes() const { return read_only() || write_protected.relaxed(); }
    Atomic<bool> write_protected = false;
    virtual uint32_t logical_block_size() const { return kSectorSize; }
    virtual bool is_partition() const { return false; }
    virtual Sector start() const { return Sector(0); }      // on its disk
    virtual uint32_t most_partitions() const { return 0; }  // numbers kept free behind its own

    virtual bool listed() const { return true; }  // in /sys
    virtual bool removable() const { return false; }

    // An open file or a mounted file system uses it, or no longer does.
    virtual void opened() {}
    virtual void closed() {}
    // ioctl(2) calls of this kind of device only. `may_write`: by a file that is open for writing.
    virtual Result<int32_t> control(uint32_t /*request*/, uint32_t /*argument*/,
                                    bool /*may_write*/) {
        return Errno::notty;
    }
    // To be called when it is opened or mounted. ENOMEDIUM: there is nothing in it, EIO.
    virtual Result<void> prepare() { return {}; }
    // Changes when the medium does: what is remembered of the old one is worth nothing.
    virtual uint32_t medium() const { return 0; }

    // Whole sectors between the device and kernel memory in the direct map. Sleeps.
    // Errors: EIO (also a range beyond the end), EROFS, ENOMEDIUM.
    virtual Result<void> read(Sector first, uint32_t count, void* to);
    virtual Result<void> write(Sector first, uint32_t count, const void* from);
    // All of these, in whatever order; the first failure, and each one's own in it. Ranges must not
    // overlap. A device overrides this, or the two above.
    virtual Result<void> submit(std::span<BlockIo> list);
    virtual Result<void> flush() { return {}; }
    virtual DiskCounts counts() { return {}; }
    virtual DiskQueue* queue() { return nullptr; }  // a partition's is its disk's

    ListNode node;

  private:
    char name_[16] = {};
    uint32_t device_number_;
};

void register_block_device(BlockDevice& device);
BlockDevice* find_block_device(std::string_view name);  // without "/dev/"; null if there is none
using BlockDevices = List<BlockDevice, &BlockDevice::node>;
BlockDevices& block_devices();
