// See boot_info.hpp. Tags of Multiboot 2, or fields of Multiboot 1, become one BootInfo.
#include "boot/boot_info.hpp"

#include <algorithm>
#include <optional>

namespace {

constexpr uint32_t kUsable = 1;  // the memory map's type for ordinary RAM, in both protocols

// Reads and collects; everything that can be wrong with the input ends in `info.incomplete`.
class Parser {
  public:
    Parser(const PhysicalWindow& window, BootInfoStorage& storage)
        : window_(window), storage_(storage) {}

    BootInfo parse(uint32_t magic, uint32_t information) {
        if (magic == kMultiboot2Magic)
            parse_multiboot2(information);
        else if (magic == kMultiboot1Magic)
            parse_multiboot1(information);
        else
            info_.incomplete = true;
        reserve_firmware();
        normalise_memory();
        info_.memory = {storage_.memory, storage_.memory_count};
        info_.modules = {storage_.modules, storage_.module_count};
        return info_;
    }

  private:
    // The bytes [address, address + length), or nullopt (and `incomplete`) if they aren't readable.
    std::optional<std::span<const char>> bytes(uint64_t address, uint64_t length) {
        const uint64_t offset = address - window_.base;
        if (address >= window_.base && offset <= window_.bytes.size() &&
            length <= window_.bytes.size() - offset)
            return window_.bytes.subspan(offset, length);
        info_.incomplete = true;
        return std::nullopt;
    }

    uint32_t u32(uint64_t address) {
        uint32_t value = 0;
        if (const auto source = bytes(address, sizeof value))
            __builtin_memcpy(&value, source->data(), sizeof value);
        return value;
    }
    uint64_t u64(uint64_t address) { return u32(address) | uint64_t{u32(address + 4)} << 32; }

    // A copy of the zero-terminated text at `address`, at most `limit` bytes long.
    std::string_view text(uint32_t address, uint32_t limit) {
        if (address < window_.base || address - window_.base >= window_.bytes.size()) {
            info_.incomplete = true;
            return {};
        }
        const auto source = window_.bytes.subspan(address - window_.base);
        const size_t most = std::min<size_t>(source.size(), limit);
        size_t length = 0;
        while (length < most && source[length]) ++length;
        const size_t room = BootInfoStorage::kText - storage_.text_size;
        if (length == most || length > room) info_.incomplete = true;
        length = std::min(length, room);
        char* copy = storage_.text + storage_.text_size;
        std::copy_n(source.begin(), length, copy);
        storage_.text_size += length;
        return {copy, length};
    }

    void add_memory(uint64_t base, uint64_t length, bool usable) {
        length = std::min(length, ~uint64_t{0} - base);
        if (length == 0) return;
        if (storage_.raw_count == BootInfoStorage::kRanges)
            info_.incomplete = true;
        else
            storage_.raw[storage_.raw_count++] = {base, length, usable};
    }

    // From 640 KiB to 1 MiB a PC has its screen and firmware, whatever a loader says.
    void reserve_firmware() {
        if (storage_.raw_count) add_memory(0xa0000, 0x60000, false);
    }

    void add_module(uint32_t start, uint32_t end, std::string_view line) {
        if (end < start || storage_.module_count == BootInfoStorage::kModules) {
            info_.incomplete = true;
            return;
        }
        while (line.ends_with(' ')) line.remove_suffix(1);
        const size_t space = line.rfind(' ');
        if (space != line.npos) line.remove_prefix(space + 1);
        storage_.modules[storage_.module_count++] = {start, end, line};
    }

    void parse_multiboot1(uint32_t base) {
        enum : uint32_t {
            basic_memory = 1 << 0,
            command_line = 1 << 2,
            modules = 1 << 3,
            memory_map = 1 << 6,
            loader_name = 1 << 9,
        };
        const uint32_t flags = u32(base);
        if (flags & command_line)
            info_.command_line = without_file_name(text(u32(base + 16), BootInfoStorage::kText));
        if (flags & loader_name) info_.loader_name = text(u32(base + 64), 256);
        if (flags & modules) {
            const uint32_t count = u32(base + 20);
            uint64_t entry = u32(base + 24);
            for (uint32_t i = 0; i < count && bytes(entry, 16); ++i, entry += 16) {
                const uint32_t line = u32(entry + 8);
                add_module(u32(entry), u32(entry + 4), line ? text(line, 4096) : "");
            }
        }
        if (flags & memory_map) {
            // Each entry's first word is the size of what follows it.
            uint64_t entry = u32(base + 48);
            const uint64_t end = entry + u32(base + 44);
            while (entry + 24 <= end && bytes(entry, 24)) {
                add_memory(u64(entry + 4), u64(entry + 12), u32(entry + 20) == kUsable);
                entry += uint64_t{u32(entry)} + 4;
            }
        } else if (flags & basic_memory) {
            add_basic_memory(u32(base + 4), u32(base + 8));
        }
    }

    // Most loaders of Multiboot1 put the kernel's path, or only its name, before its options.
    static std::string_view without_file_name(std::string_view line) {
        const std::string_view first = line.substr(0, line.find(' '));
        const bool name = first.find('/') != first.npos || first.find(".elf") != first.npos;
        if (first.find('=') != first.npos || !name) return line;
        line.remove_prefix(first.size());
        while (line.starts_with(' ')) line.remove_prefix(1);
        return line;
    }

    void parse_multiboot2(uint32_t base) {
        enum : uint32_t {
            command_line = 1,
            loader_name = 2,
            module = 3,
            basic = 4,
            map = 6,
            framebuffer = 8,
            old_acpi = 14,
            acpi = 15,
            efi_map = 17,
        };
        const uint64_t end = uint64_t{base} + u32(base);
        uint64_t basic_tag = 0, efi_tag = 0;
        for (uint64_t tag = uint64_t{base} + 8; tag + 8 <= end;) {
            const uint32_t type = u32(tag), size = u32(tag + 4);
            if (type == 0) break;
            if (size < 8 || !bytes(tag, size)) {
                info_.incomplete = true;
                break;
            }
            if (type == command_line) info_.command_line = text(tag + 8, size - 8);
            if (type == loader_name) info_.loader_name = text(tag + 8, size - 8);
            if (type == module && size > 16)
                add_module(u32(tag + 8), u32(tag + 12), text(tag + 16, size - 16));
            if (type == basic && size >= 16) basic_tag = tag;
            if (type == map && size >= 16) parse_memory_map2(tag, size);
            if (type == efi_map && size >= 16) efi_tag = tag;
            if (type == framebuffer && size >= 38) parse_framebuffer(tag);
            if (type == acpi || (type == old_acpi && info_.acpi.empty()))
                keep_acpi(tag + 8, size - 8);
            tag += (uint64_t{size} + 7) & ~uint64_t{7};
        }
        if (storage_.raw_count == 0 && efi_tag) parse_efi_map(efi_tag, u32(efi_tag + 4));
        if (storage_.raw_count == 0 && basic_tag)
            add_basic_memory(u32(basic_tag + 8), u32(basic_tag + 12));
    }

    void parse_memory_map2(uint64_t tag, uint32_t size) {
        const uint32_t entry_size = u32(tag + 8);
        if (entry_size < 24) {
            info_.incomplete = true;
            return;
        }
        for (uint64_t entry = tag + 16; entry + 24 <= tag + size; entry += entry_size)
            add_memory(u64(entry), u64(entry + 8), u32(entry + 16) == kUsable);
    }

    // Firmware's own map, for loaders that hand on nothing else. What boot services used is free by now.
    // Spec: UEFI 2.8, 7.2 (EFI_MEMORY_DESCRIPTOR).
    void parse_efi_map(uint64_t tag, uint32_t size) {
        enum : uint32_t { loader_code = 1, boot_services_data = 4, conventional = 7 };
        constexpr uint32_t kDescriptor = 40, kPageBits = 12;
        const uint32_t entry_size = u32(tag + 8);
        if (entry_size < kDescriptor) {
            info_.incomplete = true;
            return;
        }
        for (uint64_t entry = tag + 16; entry + kDescriptor <= tag + size; entry += entry_size) {
            const uint32_t type = u32(entry);
            const uint64_t pages = std::min(u64(entry + 24), ~uint64_t{0} >> kPageBits);
            add_memory(u64(entry + 8), pages << kPageBits,
                       (type >= loader_code && type <= boot_services_data) || type == conventional);
        }
    }

    // Only what can be drawn on: direct colours in bytes.
    void parse_framebuffer(uint64_t tag) {
        enum : uint32_t { direct_colour = 1 };
        const uint32_t kind = u32(tag + 28), colours = u32(tag + 32), more = u32(tag + 34);
        const auto byte = [](uint32_t word, uint32_t i) {
            return static_cast<uint8_t>(word >> 8 * i);
        };
        const BootFramebuffer found = {u64(tag + 8),     u32(tag + 16), u32(tag + 20),
                                       u32(tag + 24),    byte(kind, 0), byte(colours, 0),
                                       byte(colours, 2), byte(more, 2)};
        const bool whole_bytes =
            byte(colours, 1) == 8 && byte(colours, 3) == 8 && byte(more, 3) == 8;
        if (byte(kind, 1) == direct_colour && whole_bytes &&
            (found.bits == 24 || found.bits == 32) && found.pitch / (found.bits / 8) >= found.width)
            info_.framebuffer = found;
    }

    void keep_acpi(uint64_t address, uint32_t length) {
        constexpr uint32_t kOld = 20;
        const auto source = bytes(address, length);
        if (!source || length < kOld) return;
        length = length < sizeof storage_.acpi ? kOld : sizeof storage_.acpi;
        __builtin_memcpy(storage_.acpi, source->data(), length);
        info_.acpi = {storage_.acpi, length};
    }

    // Without a map: so many KiB from 0, and so many from 1 MiB.
    void add_basic_memory(uint32_t lower_kib, uint32_t upper_kib) {
        add_memory(0, uint64_t{lower_kib} << 10, true);
        add_memory(1 << 20, uint64_t{upper_kib} << 10, true);
    }

    // Goes from border to border; between two neighbouring borders each range covers all or nothing.
    void normalise_memory() {
        const std::span<const MemoryRange> raw{storage_.raw, storage_.raw_count};
        uint64_t at = 0;
        bool more = true;
        while (more) {
            uint64_t next = ~uint64_t{0};
            bool usable = false, unusable = false;
            more = false;
            for (const MemoryRange& range : raw) {
                const bool covers = range.base <= at && at < range.end();
                usable |= covers && range.usable;
                unusable |= covers && !range.usable;
                for (const uint64_t border : {range.base, range.end()}) {
                    if (border <= at) continue;
                    next = std::min(next, border);
                    more = true;
                }
            }
            if (more && (usable || unusable)) append_memory({at, next - at, !unusable});
            at = next;
        }
    }

    void append_memory(const MemoryRange& range) {
        if (storage_.memory_count > 0) {
            MemoryRange& last = storage_.memory[storage_.memory_count - 1];
            if (last.end() == range.base && last.usable == range.usable) {
                last.length += range.length;
                return;
            }
        }
        // n ranges have 2n borders, so at most 2n - 1 pieces: there is room.
        storage_.memory[storage_.memory_count++] = range;
    }

    const PhysicalWindow& window_;
    BootInfoStorage& storage_;
    BootInfo info_;
};

}  // namespace

BootInfo parse_boot_info(uint32_t magic, uint32_t information, const PhysicalWindow& window,
                         BootInfoStorage& storage) {
    return Parser(window, storage).parse(magic, information);
}
