// ELF32 executables, as much of them as loading takes. Pure: bytes in, plan or error out.
// Spec: System V ABI, chapters 4 and 5 (ELF header, program header, loading).
#pragma once

#include <cstdint>
#include <span>

#include "kernel/lib/result.hpp"

struct ElfHeader {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version, entry, program_offset, section_offset, flags;
    uint16_t header_size, program_size, program_count;
    uint16_t section_size, section_count, names_index;
};
static_assert(sizeof(ElfHeader) == 52);

struct ElfSegment {  // program header
    uint32_t type, offset, address, physical, file_size, memory_size, flags, alignment;
};
static_assert(sizeof(ElfSegment) == 32);

constexpr uint32_t kElfLoad = 1, kElfInterpreter = 3, kElfPrograms = 6, kElfStack = 0x6474e551;
constexpr uint32_t kElfExecute = 1, kElfWrite = 2, kElfRead = 4;
constexpr uint16_t kElfFixed = 2, kElfShared = 3;  // ET_EXEC, ET_DYN (position independent)
constexpr uint32_t kMaxElfSegments = 64;

// Checks identity and shape; `file_size` bounds the offsets. ENOEXEC: not a program for us.
bool is_64_bit_program(std::span<const uint8_t> first_bytes);
Result<ElfHeader> parse_elf_header(std::span<const uint8_t> first_bytes);

// Checks one table of program headers as a whole: loadable segments in ascending order, without
// overlap, inside user space below `limit` (after `bias` for ET_DYN), offsets and addresses
// congruent modulo the page size, file part not longer than the memory part. ENOEXEC.
Result<void> check_elf_segments(std::span<const ElfSegment> segments, uint32_t limit);

// The span of addresses of all loadable segments, page-aligned.
struct ElfExtent {
    uint32_t start = 0, end = 0;
};
ElfExtent elf_extent(std::span<const ElfSegment> segments);
