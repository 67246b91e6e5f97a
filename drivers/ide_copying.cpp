// Programmed I/O: the processor moves the data between memory and the data register, by itself.
#include <algorithm>

#include "drivers/block.hpp"
#include "drivers/ide_channel.hpp"
#include "kernel/arch/interrupts.hpp"
#include "kernel/arch/io.hpp"

namespace {

constexpr uint32_t kWordsPerSector = kSectorSize / 4;

}  // namespace

// Sectors [done, done + sectors) of the request, between its memory and the data register.
void IdeChannel::move_data(const Request& r, uint32_t done, uint32_t sectors) {
    const auto port = static_cast<uint16_t>(ports_.command + ata::kData);
    for (const MemoryPiece& piece : r.memory) {
        if (!sectors) return;
        if (done >= piece.sectors) {
            done -= piece.sectors;
            continue;
        }
        const uint32_t now = std::min(sectors, piece.sectors - done);
        uint8_t* const at = piece.start + done * kSectorSize;
        // The last word raises the interrupt of the block. v86 delivers it within the string instruction,
        // and both are lost; a block is short.
        const InterruptsOff off;
        if (r.kind == BlockIo::Kind::read)
            in32_repeat(port, at, now * kWordsPerSector);
        else
            out32_repeat(port, at, now * kWordsPerSector);
        sectors -= now;
        done = 0;
    }
}

// Spec: 9.7. A read served by polling: for each block of block_sectors sectors (the last one may be
// shorter) poll_until_idle() asks the drive until it is no longer busy, for kPatience at most; reading
// the status register then acknowledges the block. The drive has failed, or it has data (data_wanted()),
// which move_data() takes. False: one of these went wrong.
// Lab 14.1: stub { (void)r; return false; }
bool IdeChannel::read_polled(const Request& r) {
    for (uint32_t done = 0; done < r.count;) {
        if (!poll_until_idle(kPatience)) return false;
        status_ = read_register(ata::kStatus);
        if (!data_wanted()) return false;
        const uint32_t sectors = std::min(drives_[r.drive].block_sectors, r.count - done);
        move_data(r, done, sectors);
        done += sectors;
    }
    return true;
}
