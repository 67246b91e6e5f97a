// What a controller of ATA drives offers, whichever it is (IDE, AHCI), and the drives on it as block
// devices: each with a queue (disk_queue.hpp), from which its controller gets one request at a time.
// Locks: each drive's queue; a controller serialises what is its own.
#pragma once

#include "drivers/atapi.hpp"
#include "drivers/block.hpp"
#include "drivers/ide_registers.hpp"

struct AtaRequest {
    uint32_t drive;
    BlockIo::Kind kind;
    uint64_t first;  // sector
    uint32_t count;  // at most kMostSectors, which lie on the disk; 0: a flush
    std::span<const MemoryPiece> memory;
};

// A command for a drive that speaks packets, and the data it answers with.
struct AtaPacket {
    uint32_t drive;
    uint8_t command[atapi::kPacketBytes];
    uint8_t* to =
        nullptr;  // in the direct map, or at most kSectorSize bytes anywhere in the kernel
    uint32_t bytes = 0;
};

class AtaController {
  public:
    // EIO after so many attempts, with resets between them, and a line in the log. Sleeps.
    static constexpr uint32_t kAttempts = 4;
    virtual Result<void> perform(const AtaRequest& request, uint32_t attempts) = 0;
    // False: it says why in `sense`; an answer of no sense at all: the drive doesn't answer. Sleeps.
    virtual bool perform(const AtaPacket& packet, atapi::Sense& sense) = 0;
    virtual const ata::Identity& identity(uint32_t drive) const = 0;

  protected:
    ~AtaController() = default;
    // The line in the log.
    static void report_failure(char letter, const AtaRequest& r, uint8_t status, uint8_t error);
};

// Registers drive number `which` of the controller as /dev/hd and a letter, for ever.
enum class AtaKind : uint8_t { none, disk, packet };
void add_ata_drive(AtaController& controller, uint32_t which, AtaKind kind, char letter, bool dma);
constexpr char kLastDriveLetter = 'l';  // there are no numbers for more
