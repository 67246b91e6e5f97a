// One IDE channel: two drives that share a set of registers and an interrupt, so one command is
// under way at a time.
// Locks: its turn in the queue (DiskQueue) for a whole request: who has it owns registers, table
// of memory and status; an IrqSpinLock (rank block_queue) around what the interrupt handler sets.
// Spec: ATA/ATAPI-6, section 9 (protocols: 9.3 reset, 9.7 PIO data-in, 9.8 PIO data-out).
#pragma once

#include "drivers/disk_queue.hpp"
#include "drivers/ide_dma.hpp"
#include "drivers/ide_registers.hpp"
#include "kernel/arch/interrupts.hpp"
#include "kernel/lib/types.hpp"
#include "kernel/sync/wait_queue.hpp"

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

class IdeChannel {
  public:
    explicit IdeChannel(const IdePorts& ports) : ports_(ports), dma_(ports.bus_master) {}

    struct Drive {
        enum class Kind : uint8_t { none, disk, packet } kind = Kind::none;
        ata::Identity identity;
        uint32_t block_sectors = 1;  // sectors per interrupt, as set in the drive
    };

    // Finds the drives; polled, bounded in time.
    void probe();
    // From now on requests sleep until the interrupt.
    Result<void> enable_interrupts();
    bool has_disk() const;
    bool has_dma() const { return dma_.present(); }
    const Drive& drive(uint32_t which) const { return drives_[which]; }
    char letter(uint32_t which) const { return static_cast<char>(ports_.first_drive + which); }

    // At most 256 sectors that lie on the disk. Retries, resets, then EIO.
    Result<void> read(uint32_t which, Sector first, uint32_t count, void* to);
    Result<void> write(uint32_t which, Sector first, uint32_t count, const void* from);
    Result<void> flush(uint32_t which);
    DiskCounts counts(uint32_t which) { return queue_.read_counts(counts_[which]); }

  private:
    struct Request {
        uint32_t drive;
        Sector first;
        uint32_t count;       // 0: no data, a flush
        uint8_t* to;          // a read
        const uint8_t* from;  // a write
    };
    Result<void> perform(const Request& request);
    Result<void> perform_in_turn(const Request& request);
    IdeMode mode_for(const Request& request);
    bool transfer_by_dma(const Request& request);
    bool attempt(const Request& request);
    bool start(const Request& request);
    bool transfer_in(const Request& request);
    bool transfer_out(const Request& request);
    void set_multiple(uint32_t which);
    void probe_drive(uint32_t which);
    Drive::Kind identify(uint32_t which, ata::Identity& identity);
    void reset();

    bool select(uint32_t which);
    bool poll_until_idle(uint32_t milliseconds);  // BSY clear; leaves the status in status_
    bool await_interrupt();
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

    DiskQueue queue_;
    DiskCounts counts_[2];  // the queue's lock
    IdeDma dma_;
    IdeMode mode_ = IdeMode::irq;  // of the request under way
    IrqSpinLock interrupt_lock_{LockRank::block_queue};
    bool interrupt_seen_ GUARDED_BY(interrupt_lock_) = false;
    WaitQueue interrupt_queue_;
    InterruptHandler handler_{};
};
