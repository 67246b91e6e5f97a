// ELF headers and their segments: what is accepted lies below the limit, in order, with its bytes in the file.
// sources: kernel/proc/elf.cpp
// runs: 50000
#include <algorithm>

#include "kernel/proc/elf.hpp"

#include "tests/fuzz/fuzz.hpp"

namespace {

template <typename T>
void put(Input& input, const T& what) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(&what);
    input.insert(input.end(), bytes, bytes + sizeof what);
}

Input program(uint16_t type, const std::vector<ElfSegment>& segments) {
    ElfHeader h{};
    const uint8_t ident[] = {0x7f, 'E', 'L', 'F', 1, 1, 1};
    std::memcpy(h.ident, ident, sizeof ident);
    h.type = type;
    h.machine = 3;
    h.version = 1;
    h.entry = 0x8049000;
    h.program_offset = h.header_size = sizeof h;
    h.program_size = sizeof(ElfSegment);
    h.program_count = static_cast<uint16_t>(segments.size());
    Input input;
    put(input, h);
    for (const ElfSegment& s : segments) put(input, s);
    return input;
}

}  // namespace

std::vector<Input> fuzz_seeds() {
    const ElfSegment text{kElfLoad, 0, 0x8048000, 0, 0x2000, 0x2000, 5, 4096},
        data{kElfLoad, 0x2004, 0x804b004, 0, 0x100, 0x4000, 6, 4096},
        low{kElfLoad, 0, 0, 0, 0x2000, 0x2000, 5, 4096},
        interpreter{kElfInterpreter, 0x134, 0x8048134, 0, 19, 19, 4, 1};
    return {program(kElfFixed, {text, data}), program(kElfShared, {interpreter, low, data}),
            program(kElfFixed, {text})};
}

int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t count) {
    Result<ElfHeader> header = parse_elf_header({bytes, count});
    if (header.is_error()) return 0;
    const ElfHeader& h = header.value();
    FUZZ_CHECK(h.program_count <= kMaxElfSegments && h.program_size == sizeof(ElfSegment));
    std::vector<ElfSegment> segments(h.program_count);
    if (h.program_offset > count) return 0;
    std::memcpy(segments.data(), bytes + h.program_offset,
                std::min(count - h.program_offset, segments.size() * sizeof(ElfSegment)));
    for (uint32_t limit : {0xbffff000u, 0x10000000u}) {
        if (check_elf_segments(segments, limit).is_error()) continue;
        const ElfExtent all = elf_extent(segments);
        FUZZ_CHECK(all.start < all.end && all.end <= limit && all.start % 4096 == 0);
        uint64_t last = 0;
        for (const ElfSegment& s : segments) {
            if (s.type != kElfLoad || !s.memory_size) continue;
            FUZZ_CHECK(s.file_size <= s.memory_size && s.address % 4096 == s.offset % 4096);
            FUZZ_CHECK(s.address >= last && s.address >= all.start);
            last = uint64_t{s.address} + s.memory_size;
            FUZZ_CHECK(last <= all.end);
        }
    }
    return 0;
}
