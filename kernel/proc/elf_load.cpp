// See elf_load.hpp.
#include "kernel/proc/elf_load.hpp"

#include "kernel/lib/vector.hpp"
#include "kernel/proc/program_file.hpp"
#include "kernel/lib/log.hpp"
#include "kernel/sched/thread.hpp"
#include "mm/mapping.hpp"

namespace {

constexpr VirtAddr kHighestEnd{0xbffff000};

// One loadable segment: its file part mapped by demand, the rest of its last page cleared, and
// anonymous memory for what lies beyond.
Result<void> map_segment(AddressSpace& space, const ElfSegment& s, uint32_t bias,
                         Ref<Pager> pager) {
    uint32_t protection = (s.flags & kElfRead ? kProtRead : 0) |
                          (s.flags & kElfWrite ? kProtWrite : 0) |
                          (s.flags & kElfExecute ? kProtExecute : 0);
    uint32_t address = s.address + bias;
    uint32_t start = align_down(address, kPageSize);
    uint32_t file_end = address + s.file_size;
    uint32_t mapped_end = start;
    if (s.file_size) {
        mapped_end = align_up(file_end, kPageSize);
        TRY(space.map({.hint = VirtAddr(start),
                       .length = mapped_end - start,
                       .protection = protection,
                       .flags = kMapPrivate | kMapFixed,
                       .pager = std::move(pager),
                       .page_offset = s.offset >> kPageShift}));
    }
    uint32_t end = align_up(address + s.memory_size, kPageSize);
    if (end > mapped_end)
        TRY(space.map({.hint = VirtAddr(mapped_end),
                       .length = end - mapped_end,
                       .protection = protection,
                       .flags = kMapPrivate | kMapFixed | kMapAnonymous}));
    if (s.memory_size > s.file_size && file_end < mapped_end && (s.flags & kElfWrite)) {
        static constexpr uint8_t kZeros[kPageSize] = {};
        TRY(space.write(VirtAddr(file_end), kZeros, mapped_end - file_end));
    }
    return {};
}

}  // namespace

Result<LoadedImage> load_image(AddressSpace& space, File& file, uint32_t base) {
    uint8_t head[sizeof(ElfHeader)];
    uint32_t got = TRY(read_exactly(file, 0, head, sizeof head));
    if (is_64_bit_program({head, got}))  // a shell takes it for a script, and says so
        log_at(LogLevel::notice, "{}: a 64-bit program; here run 32-bit ones (gcc -m32)",
               static_cast<const char*>(Thread::current().name));
    ElfHeader header = TRY(parse_elf_header({head, got}));
    Vector<ElfSegment> segments;
    TRY(segments.resize(header.program_count));
    uint32_t bytes = header.program_count * static_cast<uint32_t>(sizeof(ElfSegment));
    if (TRY(read_exactly(file, header.program_offset, segments.data(), bytes)) != bytes)
        return Errno::noexec;
    LoadedImage image;
    bool movable = header.type == kElfShared;
    TRY(check_elf_segments(segments.span(), kHighestEnd.raw() - (movable ? base : 0)));
    ElfExtent extent = elf_extent(segments.span());
    if (movable && extent.start <= extent.end) {
        if (base == kAnyRoom)
            base = TRY(find_room(LockedSpace(space), extent.end - extent.start)).raw();
        image.bias = base - extent.start;
    }
    Ref<Pager> pager = TRY(file.pager());
    for (const ElfSegment& s : segments) {
        if (s.type == kElfInterpreter) {
            if (s.file_size < 2 || s.file_size > sizeof image.interpreter) return Errno::noexec;
            if (TRY(read_exactly(file, s.offset, image.interpreter, s.file_size)) != s.file_size ||
                image.interpreter[s.file_size - 1])
                return Errno::noexec;
        }
        if (s.type != kElfLoad || !s.memory_size) continue;
        TRY(map_segment(space, s, image.bias, pager));
        if (s.offset <= header.program_offset && header.program_offset - s.offset < s.file_size)
            image.headers = image.bias + s.address + (header.program_offset - s.offset);
    }
    image.entry = header.entry + image.bias;
    image.header_count = header.program_count;
    image.end = extent.end + image.bias;
    return image;
}
