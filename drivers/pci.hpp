// The PCI bus: what devices there are, found once at start-up by configuration mechanism 1.
// Locks: none; the list is filled before other CPUs and threads run.
// Spec: PCI Local Bus 3.0, section 6.1 (header), 3.2.2.3.2 (mechanism 1); class codes: appendix D.
#pragma once

#include <span>
#include <string_view>

#include "kernel/lib/types.hpp"

struct PciAddress {
    uint8_t bus = 0, device = 0, function = 0;
};

struct PciDevice {
    PciAddress address;
    uint16_t vendor = 0, device = 0;
    uint8_t base_class = 0, sub_class = 0, interface = 0;
    uint8_t header_type = 0;
    uint8_t interrupt_line = 0;       // 8259 input that the firmware chose; 0xFF: none
    uint32_t base_addresses[6] = {};  // raw: bit 0 set: an I/O port

    bool is(uint8_t base, uint8_t sub) const { return base_class == base && sub_class == sub; }
    // The I/O port of a base address, 0 if it is none.
    uint16_t port(uint32_t i) const {
        uint32_t raw = base_addresses[i];
        return raw & 1 ? static_cast<uint16_t>(raw & 0xFFFC) : 0;
    }
};

void pci_init();
std::span<const PciDevice> pci_devices();
const char* pci_class_name(uint8_t base_class, uint8_t sub_class);
uint32_t pci_read(PciAddress address, uint8_t offset);  // 32 bits; offset is a multiple of 4
void pci_write(PciAddress address, uint8_t offset, uint32_t value);
