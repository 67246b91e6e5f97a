// SATA disks and CD-ROM drives on AHCI controllers. They are named as IDE's are, by place: the drive
// on the first port is hda, on the second hdb; from hde on if there are IDE drives too.
// A port takes one command at a time, as its drive's queue gives them, always by DMA.
// Locks: a port's turn_ (Mutex, rank block_device) for a whole request, retries included: its holder
// owns registers, memory and status; an IrqSpinLock (rank block_queue) around what the interrupt
// handler sets.
// Spec: AHCI 1.3.1: 3 (registers), 4.2 (structures in memory), 5.5 (issuing), 6.2 (errors), 10.1
// (start-up); Serial ATA 2.6, 10.3.4 (register FIS, host to device).
#pragma once

#include "drivers/ata_drive.hpp"
#include "drivers/physical_mapper.hpp"
#include "kernel/sync/mutex.hpp"
#include "kernel/sync/wait_queue.hpp"

void ahci_init(PhysicalMapper map_registers);  // after ide_init()

// --- what lies in memory. Pure.
namespace ahci {

// Of the command in a slot. `flags`: bits 0-4 are the words of its FIS; then the two below.
struct Header {
    uint16_t flags = 0, pieces = 0;
    uint32_t transferred = 0;  // bytes; the controller counts
    uint32_t table = 0, table_high = 0, reserved[4] = {};
};
constexpr uint16_t kPacketCommand = 1 << 5, kToDevice = 1 << 6;
constexpr uint16_t kFisWords = 5;

struct Piece {
    uint32_t address, address_high, reserved;
    uint32_t last_byte;  // its number in the piece: an odd one, below 4 Mi
};

struct Table {
    ata::Fis fis;
    uint8_t rest_of_fis[44], packet[16], reserved[48];
    Piece pieces[kMostPieces];
};

struct PortMemory {
    Header headers[32];     // we use the first
    uint8_t received[256];  // FISes from the device
    Table table;
    uint8_t small[kSectorSize];  // for data that go elsewhere afterwards
};
constexpr uint32_t kAlignment = 1024;
static_assert(sizeof(Header) == 32 && sizeof(Piece) == 16);
static_assert(offsetof(PortMemory, received) % 256 == 0 && offsetof(PortMemory, table) % 128 == 0);
static_assert(offsetof(Table, packet) == 0x40 && offsetof(Table, pieces) == 0x80);

}  // namespace ahci

// One port, and the drive on it.
class AhciPort final : public AtaController {
  public:
    AhciPort(volatile uint32_t* registers, char letter) : registers_(registers), letter_(letter) {}

    AtaKind probe();  // interrupts of the controller are on; sleeps, bounded in time
    void handle_interrupt();
    Result<void> perform(const AtaRequest& request, uint32_t attempts) override;
    bool perform(const AtaPacket& packet, atapi::Sense& sense) override;
    const ata::Identity& identity(uint32_t) const override { return identity_; }

  private:
    ahci::PortMemory& memory();
    bool wait_until(uint32_t r, uint32_t mask, uint32_t value, uint32_t milliseconds) const;
    bool stop();
    void start();
    bool wait_for_drive() const;
    void recover();
    bool add_piece(const uint8_t* start, uint32_t bytes);
    bool issue(uint16_t flags, uint32_t milliseconds);
    bool attempt(const AtaRequest& request);
    bool attempt_packet(const AtaPacket& packet);
    bool read_identity(uint8_t command);

    volatile uint32_t* const registers_;
    const char letter_;
    AtaKind kind_ = AtaKind::none;
    ata::Identity identity_;
    uint8_t status_ = 0, error_ = 0;  // of the last command
    uint16_t pieces_ = 0;             // of the next

    Mutex turn_{LockRank::block_device};
    IrqSpinLock interrupt_lock_{LockRank::block_queue};
    uint32_t events_ GUARDED_BY(interrupt_lock_) = 0;
    bool finished_ GUARDED_BY(interrupt_lock_) = false;
    WaitQueue interrupt_queue_;
    uint8_t storage_[sizeof(ahci::PortMemory) + ahci::kAlignment - 1] = {};
};
