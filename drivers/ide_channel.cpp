// Requests: command, interrupt, data, in the order that the standard's protocols give.
#include "drivers/ide_channel.hpp"

#include <algorithm>

#include "drivers/block.hpp"
#include "kernel/arch/io.hpp"
#include "kernel/lib/log.hpp"
#include "kernel/sched/clock.hpp"

namespace {

constexpr uint64_t kRequestTimeout = 10'000'000'000;  // nanoseconds; a disk may have to spin up
constexpr uint32_t kDataRequestTimeout = 1000;        // milliseconds
constexpr uint32_t kAttempts = 4;
constexpr uint32_t kWordsPerSector = kSectorSize / 4;

constinit uint32_t g_mode = static_cast<uint32_t>(IdeMode::dma);  // atomic

}  // namespace

bool choose_ide_mode(std::string_view name) {
    for (uint32_t i = 0; i < std::size(kIdeModeNames); ++i)
        if (kIdeModeNames[i] == name) {
            __atomic_store_n(&g_mode, i, __ATOMIC_RELAXED);
            return true;
        }
    return false;
}

IdeMode current_ide_mode() {
    return static_cast<IdeMode>(__atomic_load_n(&g_mode, __ATOMIC_RELAXED));
}

Result<void> IdeChannel::read(uint32_t which, Sector first, uint32_t count, void* to) {
    return perform({which, first, count, static_cast<uint8_t*>(to), nullptr});
}

Result<void> IdeChannel::write(uint32_t which, Sector first, uint32_t count, const void* from) {
    return perform({which, first, count, nullptr, static_cast<const uint8_t*>(from)});
}

Result<void> IdeChannel::flush(uint32_t which) {
    return perform({which, Sector(0), 0, nullptr, nullptr});
}

Result<void> IdeChannel::perform(const Request& r) {
    DiskQueue::Ticket ticket{.sector = r.first.raw(), .count = r.count, .write = !r.to};
    queue_.enter(ticket);
    Result<void> done = perform_in_turn(r);
    queue_.leave(ticket, done.is_error(), counts_[r.drive]);
    return done;
}

IdeMode IdeChannel::mode_for(const Request& r) {
    const IdeMode wanted = current_ide_mode();
    if (wanted != IdeMode::dma) return wanted;
    const bool can = r.count && drives_[r.drive].identity.dma &&
                     dma_.prepare(r.to ? r.to : r.from, r.count * kSectorSize, r.to);
    return can ? IdeMode::dma : IdeMode::irq;
}

Result<void> IdeChannel::perform_in_turn(const Request& r) {
    for (uint32_t i = 0; i < kAttempts; ++i) {
        mode_ = mode_for(r);
        write_control(mode_ == IdeMode::poll ? ata::kNoInterrupts : 0);
        if (attempt(r)) return {};
        if (mode_ == IdeMode::dma && i + 1 == kAttempts / 2) {
            log_warning("hd{}: DMA fails; interrupts and copying from now on", letter(r.drive));
            drives_[r.drive].identity.dma = false;
        }
        if (i > 0) reset();
    }
    log_error("hd{}: {} of sector {} failed: status {:02x}, error {:02x}", letter(r.drive),
              r.to     ? "read"
              : r.from ? "write"
                       : "flush",
              r.first, status_, error_);
    return Errno::io;
}

bool IdeChannel::attempt(const Request& r) {
    bool ok = start(r) && (mode_ == IdeMode::dma ? transfer_by_dma(r)
                           : r.to                ? transfer_in(r)
                           : r.from              ? transfer_out(r)
                                                 : await_interrupt() && !failed());
    if (!ok) error_ = read_register(ata::kError);
    return ok;
}

bool IdeChannel::start(const Request& r) {
    const Drive& drive = drives_[r.drive];
    ata::Address at = ata::encode_address(r.first.raw(), r.count, r.drive == 1);
    if (!select(r.drive)) return false;
    write_register(ata::kDevice, at.device);
    if (at.wide) {
        write_register(ata::kSectorCount, static_cast<uint8_t>(at.count >> 8));
        write_register(ata::kLbaLow, at.lba[3]);
        write_register(ata::kLbaMid, at.lba[4]);
        write_register(ata::kLbaHigh, at.lba[5]);
    }
    write_register(ata::kSectorCount, static_cast<uint8_t>(at.count));
    write_register(ata::kLbaLow, at.lba[0]);
    write_register(ata::kLbaMid, at.lba[1]);
    write_register(ata::kLbaHigh, at.lba[2]);
    {
        LockGuard guard(interrupt_lock_);
        interrupt_seen_ = false;
    }
    bool multiple = drive.block_sectors > 1;
    if (mode_ == IdeMode::dma)
        command(r.to      ? at.wide ? ata::kReadDmaExt : ata::kReadDma
                : at.wide ? ata::kWriteDmaExt
                          : ata::kWriteDma);
    else if (r.to)
        command(multiple  ? at.wide ? ata::kReadMultipleExt : ata::kReadMultiple
                : at.wide ? ata::kReadSectorsExt
                          : ata::kReadSectors);
    else if (r.from)
        command(multiple  ? at.wide ? ata::kWriteMultipleExt : ata::kWriteMultiple
                : at.wide ? ata::kWriteSectorsExt
                          : ata::kWriteSectors);
    else
        command(drive.identity.lba48 ? ata::kFlushCacheExt : ata::kFlushCache);
    return true;
}

// Spec: 9.7. An interrupt before each block.
bool IdeChannel::transfer_in(const Request& r) {
    for (uint32_t done = 0; done < r.count;) {
        if (!await_interrupt() || !data_wanted()) return false;
        uint32_t sectors = std::min(drives_[r.drive].block_sectors, r.count - done);
        in32_repeat(ports_.command + ata::kData, r.to + done * kSectorSize,
                    sectors * kWordsPerSector);
        done += sectors;
    }
    return true;
}

// Spec: 9.8. No interrupt before the first block, but one after each.
bool IdeChannel::transfer_out(const Request& r) {
    if (!poll_until_idle(kDataRequestTimeout)) return false;
    for (uint32_t done = 0; done < r.count;) {
        if (!data_wanted()) return false;
        uint32_t sectors = std::min(drives_[r.drive].block_sectors, r.count - done);
        out32_repeat(ports_.command + ata::kData, r.from + done * kSectorSize,
                     sectors * kWordsPerSector);
        done += sectors;
        if (!await_interrupt()) return false;
    }
    return !failed();
}

// Spec: 9.10; Bus Master IDE, section 3.
bool IdeChannel::transfer_by_dma(const Request&) {
    dma_.start();
    const bool seen = await_interrupt();
    return dma_.finish() && seen && !failed();
}

bool IdeChannel::await_interrupt() {
    if (mode_ == IdeMode::poll) {
        if (!poll_until_idle(kRequestTimeout / 1'000'000)) return false;
        status_ = read_register(ata::kStatus);
        return true;
    }
    LockGuard guard(interrupt_lock_);
    WaitOptions options{
        .interruptible = false, .deadline = monotonic_now() + kRequestTimeout, .reason = "disk"};
    Woken woken = interrupt_queue_.wait(
        interrupt_lock_, [this]() NO_LOCK_ANALYSIS { return interrupt_seen_; }, options);
    interrupt_seen_ = false;
    if (woken == Woken::condition) return true;
    status_ = read_register(ata::kStatus);  // was only the interrupt lost?
    return !(status_ & ata::kBusy);
}

void IdeChannel::handle_interrupt() {
    if (alternate_status() & ata::kBusy) return;  // another device on this line
    LockGuard guard(interrupt_lock_);
    status_ = read_register(ata::kStatus);
    interrupt_seen_ = true;
    interrupt_queue_.wake_all();
}

Result<void> IdeChannel::enable_interrupts() {
    handler_ = {ports_.first_drive == 'a' ? "ide0" : "ide1",
                [](void* channel) { static_cast<IdeChannel*>(channel)->handle_interrupt(); }, this};
    TRY(attach_interrupt(ports_.irq, handler_));
    uint64_t sectors = 0;
    for (const Drive& drive : drives_) sectors = std::max(sectors, drive.identity.sectors);
    queue_.set_size(sectors);
    write_control(0);
    return {};
}
