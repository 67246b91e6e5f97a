// See ide_dma.hpp.
#include "drivers/ide_dma.hpp"

#include <algorithm>

#include "kernel/arch/io.hpp"
#include "kernel/arch/memory_layout.hpp"

namespace {

enum Register : uint16_t { kCommand = 0, kStatus = 2, kTable = 4 };
constexpr uint8_t kStart = 1 << 0, kToMemory = 1 << 3;                     // command
constexpr uint8_t kActive = 1 << 0, kError = 1 << 1, kInterrupt = 1 << 2;  // status; 1 clears
constexpr uint16_t kLastEntry = 1 << 15;
constexpr uint32_t kBoundary = 0x10000;

}  // namespace

// Joins what lies side by side, cuts at multiples of 64 KiB.
bool IdeDma::add(Entry* table, uint32_t& used, uint32_t at, uint32_t bytes) const {
    while (bytes) {
        Entry* const last = used ? &table[used - 1] : nullptr;
        const uint32_t size = std::min(bytes, kBoundary - at % kBoundary);
        if (last && at % kBoundary && last->address + last->bytes == at) {
            last->bytes = static_cast<uint16_t>(last->bytes + size);
        } else {
            if (used == kMaxEntries) return false;
            table[used++] = {at, static_cast<uint16_t>(size), 0};
        }
        at += size;
        bytes -= size;
    }
    return true;
}

bool IdeDma::prepare(std::span<const MemoryPiece> memory, bool to_memory) {
    if (!present() || memory.empty()) return false;
    const bool first_half_crosses = to_physical(&tables_[0]).raw() / kBoundary !=
                                    to_physical(&tables_[kMaxEntries - 1]).raw() / kBoundary;
    Entry* const table = &tables_[first_half_crosses ? kMaxEntries : 0];
    uint32_t used = 0;
    for (const MemoryPiece& piece : memory) {
        const uint32_t offset = reinterpret_cast<uintptr_t>(piece.start) - kDirectMapBase.raw();
        const uint32_t bytes = piece.sectors * kSectorSize;
        if (offset % 2 || offset >= kDirectMapLimit || bytes > kDirectMapLimit - offset)
            return false;
        if (!add(table, used, to_physical(piece.start).raw(), bytes)) return false;
    }
    table[used - 1].flags = kLastEntry;
    to_memory_ = to_memory;
    out32(reg(kTable), to_physical(table).raw());
    out8(reg(kCommand), to_memory ? kToMemory : 0);
    out8(reg(kStatus), static_cast<uint8_t>(in8(reg(kStatus)) | kError | kInterrupt));
    return true;
}

void IdeDma::start() const {
    asm volatile("" ::: "memory");  // the table and a write's data are complete
    out8(reg(kCommand), static_cast<uint8_t>((to_memory_ ? kToMemory : 0) | kStart));
}

// Whether it is done is asked first: a stopped engine isn't active either.
bool IdeDma::finish() const {
    const uint8_t status = in8(reg(kStatus));
    out8(reg(kCommand), to_memory_ ? kToMemory : 0);
    out8(reg(kStatus), static_cast<uint8_t>(status | kError | kInterrupt));
    asm volatile("" ::: "memory");
    return (status & (kError | kActive | kInterrupt)) == kInterrupt;
}
