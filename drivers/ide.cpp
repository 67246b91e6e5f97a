// See ide.hpp. Where the channels are; what hangs on them is in ide_channel.hpp and ata_drive.hpp.
#include "drivers/ide.hpp"

#include "drivers/disk_trace.hpp"
#include "drivers/ide_channel.hpp"
#include "drivers/pci.hpp"
#include "kernel/lib/log.hpp"
#include "kernel/lib/ref.hpp"

namespace {

constexpr IdePorts kLegacyPorts[2] = {{0x1F0, 0x3F6, 14, 'a'}, {0x170, 0x376, 15, 'c'}};

// Spec: Bus Master IDE 1.0, section 2: interface bit 7; eight bytes a channel at base address 4.
uint16_t use_bus_master(const PciDevice& d, uint32_t channel) {
    constexpr uint8_t kCommandWord = 0x04, kMayMaster = 1 << 2;
    const uint16_t base = d.port(4);
    if (!(d.interface & 1 << 7) || !base) return 0;
    const uint32_t command = pci_read(d.address, kCommandWord) & 0xFFFF;  // status bits clear by 1
    pci_write(d.address, kCommandWord, command | kMayMaster);
    return static_cast<uint16_t>(base + channel * 8);
}

// Spec: PCI IDE 1.0, section 2: interface bits 0 and 2: the channel is in native mode, at its base
// addresses. The control block's port is the third byte of its range.
IdePorts find_ports(uint32_t channel) {
    IdePorts ports = kLegacyPorts[channel];
    for (const PciDevice& d : pci_devices()) {
        if (!d.is(0x01, 0x01)) continue;
        ports.bus_master = use_bus_master(d, channel);
        if (!(d.interface & (channel ? 1 << 2 : 1 << 0))) break;
        uint16_t command = d.port(channel * 2), control = d.port(channel * 2 + 1);
        if (!command || !control) break;
        ports = {command, static_cast<uint16_t>(control + 2), d.interrupt_line, ports.first_drive,
                 ports.bus_master};
        break;
    }
    return ports;
}

bool add_channel(uint32_t number) {
    auto made = make_box<IdeChannel>(find_ports(number));
    if (made.is_error()) return false;
    made.value()->probe();
    if (!made.value()->has_drive()) return false;
    IdeChannel& channel = *made.value().leak();
    if (channel.enable_interrupts().is_error()) {
        log_error("ide{}: no interrupt line; drives ignored", number);
        return false;
    }
    for (uint32_t which : {0u, 1u}) {
        const IdeChannel::Drive& drive = channel.drive(which);
        add_ata_drive(channel, which, drive.kind, channel.letter(which),
                      drive.identity.dma && channel.has_dma());
    }
    return true;
}

}  // namespace

void ide_init() {
    disk_trace_init();
    bool first = add_channel(0), second = add_channel(1);
    if (!first && !second) log_info("ide: no drives");
}
