// What the loader told us, whichever protocol it spoke: one neutral form, copied out of the loader's
// memory, so that nothing later needs to know where that was.
// Invariant: `memory` is sorted, without overlaps, neighbours of one kind merged; where entries
// overlap, unusable wins. Malformed or surplus input is left out, and `incomplete` says so.
// Locks: none; written once by the boot CPU.
// Spec: Multiboot2 3.4-3.6 (information tags); Multiboot 0.6.96 3.3.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

struct MemoryRange {
    uint64_t base = 0;
    uint64_t length = 0;
    bool usable = false;
    constexpr uint64_t end() const { return base + length; }
    bool operator==(const MemoryRange&) const = default;
};

// A file that the loader put beside the kernel: physical addresses, half open. Its name is the last
// word of its command line.
struct BootModule {
    uint32_t start = 0;
    uint32_t end = 0;
    std::string_view name;
};

// A screen of pixels that firmware set up; its rows begin `pitch` bytes apart. A pixel is `bits` wide (24
// or 32; 0: there is none), least byte first, with each colour in 8 of them from that bit on.
struct BootFramebuffer {
    uint64_t address = 0;
    uint32_t pitch = 0, width = 0, height = 0;
    uint8_t bits = 0, red = 0, green = 0, blue = 0;
};

struct BootInfo {
    std::string_view command_line;
    std::string_view loader_name;
    std::span<const MemoryRange> memory;
    std::span<const BootModule> modules;
    // A copy of ACPI's root pointer, 20 or 36 bytes; empty: it is to be looked for where a BIOS has it.
    std::span<const uint8_t> acpi;
    BootFramebuffer framebuffer;
    bool incomplete = false;
};

// Where the loader's structures are readable: physical address `base` lies at `bytes[0]`. Structures
// outside of it count as malformed.
struct PhysicalWindow {
    uint32_t base = 0;
    std::span<const char> bytes;
};

// What a BootInfo points into. The bounds are far above what firmware reports; whatever is beyond
// them is dropped, and `incomplete` is set.
struct BootInfoStorage {
    static constexpr size_t kRanges = 64;
    static constexpr size_t kModules = 16;
    static constexpr size_t kText = 16 * 1024;

    MemoryRange raw[kRanges] = {};
    MemoryRange memory[2 * kRanges] = {};
    BootModule modules[kModules] = {};
    char text[kText] = {};
    uint8_t acpi[36] = {};
    size_t raw_count = 0, memory_count = 0, module_count = 0, text_size = 0;
};

constexpr uint32_t kMultiboot1Magic = 0x2BADB002;
constexpr uint32_t kMultiboot2Magic = 0x36D76289;

// `magic` and `information` are what the loader left in EAX and EBX. An unknown magic gives an empty
// BootInfo with `incomplete` set.
BootInfo parse_boot_info(uint32_t magic, uint32_t information, const PhysicalWindow& window,
                         BootInfoStorage& storage);
