// The MADT: which processors and interrupt controllers the firmware found. Pure: bytes in, values
// out; what is malformed or too much is left out, and `incomplete` says so.
// Locks: none. Spec: ACPI 6.4, 5.2.12 (MADT; tables 5-19 to 5-30).
#pragma once

#include <cstdint>
#include <optional>
#include <span>

constexpr uint32_t kIsaLines = 16;

struct MadtInfo {
    static constexpr uint32_t kProcessorsMost = 32, kIoApicsMost = 8;
    struct IoApic {
        uint32_t address, first_gsi;
    };
    // Where an ISA line arrives: a global system interrupt, and how it is signalled.
    struct Route {
        uint32_t gsi;
        bool active_low, level;
    };

    uint32_t local_apic = 0;                   // physical address of its registers
    uint8_t processors[kProcessorsMost] = {};  // APIC ids of the usable ones
    uint32_t processor_count = 0;
    IoApic io_apics[kIoApicsMost] = {};
    uint32_t io_apic_count = 0;
    Route isa[kIsaLines] = {};
    bool incomplete = false;
};

// `table` is the whole table, its checksum verified. Nothing: no MADT of use.
std::optional<MadtInfo> parse_madt(std::span<const uint8_t> table);
