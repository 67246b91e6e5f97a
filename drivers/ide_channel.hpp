// One IDE channel: two drives that share a set of registers and an interrupt, so one command is
// under way at a time. Each drive has a queue of its own (disk_queue.hpp); here its requests meet
// the other drive's.
// Locks: turn_ (Mutex, rank block_device) for a whole request, retries included: its holder owns
// registers, table of memory and status; an IrqSpinLock (rank block_queue) around what the
// interrupt handler sets.
// Spec: ATA/ATAPI-6, section 9 (protocols: 9.3 reset, 9.7 PIO data-in, 9.8 PIO data-out, 9.9
// PACKET).
#pragma once

#include "drivers/ata_drive.hpp"
#include "drivers/ide_dma.hpp"
#include "kernel/arch/interrupts.hpp"
#include "kernel/lib/types.hpp"
#include "kernel/sync/mutex.hpp"

// How data moves: the CPU asks until the drive is ready and copies; sleeps until the interrupt and
// copies; or the controller copies and then interrupts. By name: ide= at boot,
// /proc/sys/dev/disk/ide at run time. A drive or controller without DMA gets interrupts.
enum class IdeMode : uint8_t { poll, irq, dma };
constexpr std::string_view kIdeModeNames[] = {"poll", "irq", "dma"};
bool choose_ide_mode(std::string_view name);
IdeMode current_ide_mode();

struct IdePorts {
    uint16_t command;  // eight registers
    uint16_t control;  // device control / alternate status
    uint32_t irq;
    char first_drive;         // 'a' of hda, 'c' of hdc
    uint16_t bus_master = 0;  // three registers for DMA; 0: none
};

class IdeChannel final : public AtaController {
  public:
    explicit IdeChannel(const IdePorts& ports) : ports_(ports), dma_(ports.bus_master) {}

    struct Drive {
        using Kind = AtaKind;
        Kind kind = Kind::none;
        ata::Identity identity;
        uint32_t block_sectors = 1;  // sectors per interrupt, as set in the drive
    };

    // Finds the drives; polled, bounded in time.
    void probe();
    // From now on requests sleep until the interrupt.
    Result<void> enable_interrupts();
    bool has_drive() const;
    bool has_dma() const { return dma_.present(); }
    const Drive& drive(uint32_t which) const { return drives_[which]; }
    char letter(uint32_t which) const { return static_cast<char>(ports_.first_drive + which); }

    using Request = AtaRequest;
    using Packet = AtaPacket;
    Result<void> perform(const Request& request, uint32_t attempts) override;
    bool perform(const Packet& packet, atapi::Sense& sense) override;
    const ata::Identity& identity(uint32_t drive) const override { return drives_[drive].identity; }

  private:
    static constexpr uint32_t kPatience = 10'000;  // milliseconds: a disk may have to spin up
    Result<void> perform_in_turn(const Request& request, uint32_t attempts);
    bool attempt_packet(const Packet& packet);
    bool start_packet(const Packet& packet);
    bool transfer_packet_in(const Packet& packet);
    uint32_t take_packet_data(uint8_t* to, uint32_t bytes);
    void use_mode(IdeMode mode);
    void expect_interrupt();
    void move_data(const Request& request, uint32_t done, uint32_t sectors);
    void write_address(const ata::Address& address);
    uint8_t command_for(const Request& request, bool wide) const;
    IdeMode mode_for(const Request& request);
    bool transfer_by_dma();
    bool attempt(const Request& request);
    bool start(const Request& request);
    bool read_polled(const Request& request);
    bool read_by_interrupts(const Request& request);
    bool transfer_out(const Request& request);
    void set_multiple(uint32_t which);
    void probe_drive(uint32_t which);
    Drive::Kind identify(uint32_t which, ata::Identity& identity);
    bool identify_packet_device(uint32_t which, ata::Identity& identity);
    bool read_identity(ata::Identity& identity);
    void reset();

    bool select(uint32_t which);
    bool poll_until_idle(uint32_t milliseconds);  // BSY clear; leaves the status in status_
    bool await_interrupt();
    bool sleep_until_interrupt();
    void handle_interrupt();
    bool failed() const { return status_ & (ata::kStatusError | ata::kDeviceFault); }
    bool data_wanted() const { return !failed() && status_ & ata::kDataRequest; }
    void command(uint8_t code);
    uint8_t read_register(ata::Register r) const;
    void write_register(ata::Register r, uint8_t value) const;
    void write_control(uint8_t value) const;
    uint8_t alternate_status() const;
    void settle(uint32_t microseconds = 1) const;

    IdePorts ports_;
    Drive drives_[2];
    uint8_t status_ = 0;
    uint8_t error_ = 0;

    Mutex turn_{LockRank::block_device};
    IdeDma dma_;
    IdeMode mode_ = IdeMode::irq;  // of the request under way
    IrqSpinLock interrupt_lock_{LockRank::block_queue};
    bool interrupt_seen_ GUARDED_BY(interrupt_lock_) = false;
    WaitQueue interrupt_queue_;
    InterruptHandler handler_{};
};
