// Requests: command, interrupt, data, in the order that the standard's protocols give.
#include "drivers/ide_channel.hpp"

#include <algorithm>

#include "drivers/block.hpp"
#include "kernel/arch/io.hpp"
#include "kernel/lib/log.hpp"

namespace {

constexpr uint32_t kDataRequestTimeout = 1000;  // milliseconds

constinit Atomic<uint32_t> wanted_mode = static_cast<uint32_t>(IdeMode::dma);

}  // namespace

bool choose_ide_mode(std::string_view name) {
    for (uint32_t i = 0; i < std::size(kIdeModeNames); ++i)
        if (kIdeModeNames[i] == name) {
            wanted_mode.store_relaxed(i);
            return true;
        }
    return false;
}

IdeMode current_ide_mode() { return static_cast<IdeMode>(wanted_mode.relaxed()); }

Result<void> IdeChannel::perform(const Request& r, uint32_t attempts) {
    LockGuard guard(turn_);
    return perform_in_turn(r, attempts);
}

IdeMode IdeChannel::mode_for(const Request& r) {
    const IdeMode wanted = current_ide_mode();
    if (wanted != IdeMode::dma) return wanted;
    const bool can = r.count && drives_[r.drive].identity.dma &&
                     dma_.prepare(r.memory, r.kind == BlockIo::Kind::read);
    return can ? IdeMode::dma : IdeMode::irq;
}

void IdeChannel::use_mode(IdeMode mode) {
    mode_ = mode;
    write_control(mode == IdeMode::poll ? ata::kNoInterrupts : 0);
}

// What DMA could not do twice is tried without it: only if that helps it was DMA's fault.
Result<void> IdeChannel::perform_in_turn(const Request& r, uint32_t attempts) {
    Drive& drive = drives_[r.drive];
    uint32_t dma_failures = 0;
    for (uint32_t i = 0; i < attempts && drive.kind != Drive::Kind::none; ++i) {
        use_mode(dma_failures < 2 ? mode_for(r) : IdeMode::irq);
        if (attempt(r)) {
            if (dma_failures < 2) return {};
            log_warning("hd{}: DMA fails; interrupts and copying from now on", letter(r.drive));
            drive.identity.dma = false;
            return {};
        }
        dma_failures += mode_ == IdeMode::dma;
        if (i > 0 || (status_ & (ata::kBusy | ata::kDataRequest))) reset();
    }
    if (attempts == kAttempts) report_failure(letter(r.drive), r, status_, error_);
    return Errno::io;
}

bool IdeChannel::attempt(const Request& r) {
    const auto transfer = [&] {
        if (mode_ == IdeMode::dma) return transfer_by_dma();
        switch (r.kind) {
            case BlockIo::Kind::read:
                return mode_ == IdeMode::poll ? read_polled(r) : read_by_interrupts(r);
            case BlockIo::Kind::write: return transfer_out(r);
            case BlockIo::Kind::flush: break;
        }
        return await_interrupt() && !failed();
    };
    const bool ok = start(r) && transfer();
    if (!ok) error_ = read_register(ata::kError);
    return ok;
}

void IdeChannel::expect_interrupt() {
    LockGuard guard(interrupt_lock_);
    interrupt_seen_ = false;
}

void IdeChannel::write_address(const ata::Address& at) {
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
}

uint8_t IdeChannel::command_for(const Request& r, bool wide) const {
    const Drive& drive = drives_[r.drive];
    if (r.kind == BlockIo::Kind::flush)
        return drive.identity.lba48 ? ata::kFlushCacheExt : ata::kFlushCache;
    const bool write = r.kind == BlockIo::Kind::write;
    if (mode_ == IdeMode::dma)
        return write  ? wide ? ata::kWriteDmaExt : ata::kWriteDma
               : wide ? ata::kReadDmaExt
                      : ata::kReadDma;
    if (drive.block_sectors > 1)
        return write  ? wide ? ata::kWriteMultipleExt : ata::kWriteMultiple
               : wide ? ata::kReadMultipleExt
                      : ata::kReadMultiple;
    return write  ? wide ? ata::kWriteSectorsExt : ata::kWriteSectors
           : wide ? ata::kReadSectorsExt
                  : ata::kReadSectors;
}

bool IdeChannel::start(const Request& r) {
    const ata::Address at = ata::encode_address(r.first, r.count, r.drive == 1);
    if (!select(r.drive)) return false;
    write_address(at);
    expect_interrupt();
    command(command_for(r, at.wide));
    return true;
}

// Spec: 9.8. No interrupt before the first block, but one after each.
bool IdeChannel::transfer_out(const Request& r) {
    if (!poll_until_idle(kDataRequestTimeout)) return false;
    for (uint32_t done = 0; done < r.count;) {
        if (!data_wanted()) return false;
        const uint32_t sectors = std::min(drives_[r.drive].block_sectors, r.count - done);
        move_data(r, done, sectors);
        done += sectors;
        if (!await_interrupt()) return false;
    }
    return !failed();
}

// Spec: 9.10; Bus Master IDE, section 3.
bool IdeChannel::transfer_by_dma() {
    dma_.start();
    const bool seen = await_interrupt();
    return dma_.finish() && seen && !failed();
}

bool IdeChannel::await_interrupt() {
    if (mode_ == IdeMode::poll) {
        if (!poll_until_idle(kPatience)) return false;
        status_ = read_register(ata::kStatus);
        return true;
    }
    return sleep_until_interrupt();
}
