// See ide_dma.hpp.
#include "drivers/ide_dma.hpp"

#include <algorithm>

#include "kernel/arch/io.hpp"
#include "kernel/arch/memory_layout.hpp"

namespace {

enum Register : uint16_t { kCommand = 0, kStatus = 2, kTable = 4 };
constexpr uint8_t kStart = 1 << 0, kToMemory = 1 << 3;                     // command
constexpr uint8_t kActive = 1 << 0, kError = 1 << 1, kInterrupt = 1 << 2;  // status; 1 clears
constexpr uint16_t kLastPiece = 1 << 15;
constexpr uint32_t kBoundary = 0x10000;

}  // namespace

bool IdeDma::prepare(const void* memory, uint32_t bytes, bool to_memory) {
    auto address = reinterpret_cast<uintptr_t>(memory);
    if (!present() || address % 2 || bytes == 0) return false;
    if (address < kDirectMapBase.raw() || address - kDirectMapBase.raw() >= kDirectMapLimit ||
        bytes > kDirectMapLimit - (address - kDirectMapBase.raw()))
        return false;
    const bool first_half_crosses = to_physical(&tables_[0]).raw() / kBoundary !=
                                    to_physical(&tables_[kMaxPieces - 1]).raw() / kBoundary;
    Piece* const pieces = &tables_[first_half_crosses ? kMaxPieces : 0];
    uint32_t at = to_physical(memory).raw(), used = 0;
    for (; bytes; ++used) {
        if (used == kMaxPieces) return false;
        const uint32_t size = std::min(bytes, kBoundary - at % kBoundary);
        pieces[used] = {at, static_cast<uint16_t>(size), 0};
        at += size;
        bytes -= size;
    }
    pieces[used - 1].flags = kLastPiece;
    to_memory_ = to_memory;
    out32(reg(kTable), to_physical(pieces).raw());
    out8(reg(kCommand), to_memory ? kToMemory : 0);
    out8(reg(kStatus), static_cast<uint8_t>(in8(reg(kStatus)) | kError | kInterrupt));
    return true;
}

void IdeDma::start() const {
    asm volatile("" ::: "memory");  // the table and a write's data are complete
    out8(reg(kCommand), static_cast<uint8_t>((to_memory_ ? kToMemory : 0) | kStart));
}

bool IdeDma::finish() const {
    out8(reg(kCommand), to_memory_ ? kToMemory : 0);
    const uint8_t status = in8(reg(kStatus));
    out8(reg(kStatus), static_cast<uint8_t>(status | kError | kInterrupt));
    asm volatile("" ::: "memory");
    return !(status & (kError | kActive));
}

bool IdeDma::interrupted() const { return in8(reg(kStatus)) & kInterrupt; }
