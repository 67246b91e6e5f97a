// See elf.hpp.
#include "kernel/proc/elf.hpp"

#include "kernel/lib/types.hpp"

namespace {
constexpr uint16_t kMachine386 = 3, kMachine486 = 6;
}

bool is_64_bit_program(std::span<const uint8_t> bytes) {
    constexpr uint8_t kMagic64[5] = {0x7f, 'E', 'L', 'F', 2};
    return bytes.size() >= sizeof kMagic64 &&
           __builtin_memcmp(bytes.data(), kMagic64, sizeof kMagic64) == 0;
}

Result<ElfHeader> parse_elf_header(std::span<const uint8_t> bytes) {
    if (bytes.size() < sizeof(ElfHeader)) return Errno::noexec;
    ElfHeader header;
    __builtin_memcpy(&header, bytes.data(), sizeof header);
    constexpr uint8_t kMagic[7] = {0x7f, 'E', 'L', 'F', 1 /* 32 bits */, 1 /* little endian */, 1};
    if (__builtin_memcmp(header.ident, kMagic, sizeof kMagic) != 0) return Errno::noexec;
    if (header.type != kElfFixed && header.type != kElfShared) return Errno::noexec;
    if (header.machine != kMachine386 && header.machine != kMachine486) return Errno::noexec;
    if (header.program_size != sizeof(ElfSegment) || header.program_count == 0 ||
        header.program_count > kMaxElfSegments)
        return Errno::noexec;
    return header;
}

Result<void> check_elf_segments(std::span<const ElfSegment> segments, uint32_t limit) {
    uint64_t previous_end = 0;
    bool any = false;
    for (const ElfSegment& s : segments) {
        if (s.type != kElfLoad || s.memory_size == 0) continue;
        uint64_t end = static_cast<uint64_t>(s.address) + s.memory_size;
        if (s.file_size > s.memory_size || end > limit) return Errno::noexec;
        if (static_cast<uint64_t>(s.offset) + s.file_size > INT32_MAX) return Errno::noexec;
        if ((s.address & kPageMask) != (s.offset & kPageMask)) return Errno::noexec;
        if (any && align_down(s.address, kPageSize) < previous_end) return Errno::noexec;
        previous_end = end;
        any = true;
    }
    if (!any) return Errno::noexec;
    return {};
}

ElfExtent elf_extent(std::span<const ElfSegment> segments) {
    ElfExtent extent{UINT32_MAX, 0};
    for (const ElfSegment& s : segments) {
        if (s.type != kElfLoad || s.memory_size == 0) continue;
        uint32_t start = align_down(s.address, kPageSize);
        uint32_t end = align_up(s.address + s.memory_size, kPageSize);
        if (start < extent.start) extent.start = start;
        if (end > extent.end) extent.end = end;
    }
    return extent;
}
