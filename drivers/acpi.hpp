// The firmware's ACPI tables: found, checked, and mapped by the caller. Only data is read, no AML
// is run: the one object we need from it, \_S5, is found by its shape.
// Locks: none; used at start-up only.
// Spec: ACPI 6.4, 5.2.5 (RSDP), 5.2.7 (RSDT), 5.2.8 (XSDT), 5.2.9 (FADT), 7.4.2 (\_Sx), 20.2 (AML encoding).
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "drivers/physical_mapper.hpp"

// `root_pointer`: the loader's copy, 20 or 36 bytes; empty: it is looked for where a BIOS leaves it.
// `map` null: only the direct map can be read.
void acpi_init(PhysicalMapper map, std::span<const uint8_t> root_pointer);

// The whole table with this signature, its checksum verified; empty if there is none.
std::span<const uint8_t> acpi_table(std::string_view signature);

// The port of the timer that counts at 3.579545 MHz; 0: none.
uint16_t acpi_timer_port();

// --- pure
// The values for the sleep-type fields of PM1a_CNT and PM1b_CNT, from a DSDT's \_S5 package.
struct SleepTypes {
    uint8_t a, b;
};
std::optional<SleepTypes> find_soft_off(std::span<const uint8_t> dsdt);
bool acpi_checksum_ok(std::span<const uint8_t> bytes);
